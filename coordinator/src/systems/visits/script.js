/* Counts page views, single-page navigation, outbound links, file downloads and custom events.
 *
 *   <script defer src="https://HOST/t.js" data-domain="example.com"></script>
 *
 * data-domain  the site, or several with commas; else the page's host
 * data-api     where events go; else /visit/event beside this script
 * data-hash    the fragment belongs to the page's address
 * data-local   pages on this machine are counted too
 * data-manual  no page views by themselves
 *
 *   trafficlab('Signup', {props: {plan: 'pro'}, revenue: {amount: 9.9, currency: 'EUR'}, callback: fn})
 *
 * `plausible` is the same function. Calls made before this script runs wait in trafficlab.q or plausible.q.
 * The server leaves out these comments and the indentation; nothing else differs from what it serves.
 */
(function (win, doc, loc) {
  var script = doc.currentScript, data = script.dataset, hash = 'hash' in data, last;

  function send(name, opts) {
    opts = opts || {};
    var done = opts.callback || function () {}, to = data.api || new URL(script.src).origin + '/visit/event', body;
    /* Not counted: pages on the own machine, automated browsers, and visitors who opted out in Plausible's way. */
    try { if (win.localStorage.plausible_ignore == 'true') return done() } catch (e) {}
    if (!('local' in data) && (win.navigator.webdriver || /^(localhost|127\..*|\[::1])?$/.test(loc.hostname))) return done();
    body = JSON.stringify({ n: name, u: opts.u || loc.href, d: data.domain || loc.hostname, r: doc.referrer, h: +hash, p: opts.props, $: opts.revenue });
    /* A text without a type is sent as text/plain, which asks for no preflight. */
    if (win.fetch) fetch(to, { method: 'POST', credentials: 'omit', keepalive: true, body: body }).then(done, done);
    else win.navigator.sendBeacon(to, body), done();
  }

  function page() {
    var at = loc.pathname + loc.search + (hash ? loc.hash : '');
    if (at != last) last = at, send('pageview');
  }

  function click(event) {
    var link = event.target.closest('a[href]'), opts = link && { props: { url: link.href } };
    if (!opts || event.button > 1 || !/^http/.test(link.protocol)) return;
    if (/\.(pdf|zip|gz|rar|7z|dmg|pkg|exe|docx?|xlsx?|pptx?|csv|mp[34])$/i.test(link.pathname)) send('File Download', opts);
    else if (link.host != loc.host) send('Outbound Link: Click', opts);
  }

  ['trafficlab', 'plausible'].map(function (name) {
    var early = win[name] && win[name].q || [];
    win[name] = send;
    early.map(function (args) { send.apply(0, args) });
  });
  doc.addEventListener('click', click);
  doc.addEventListener('auxclick', click);
  if ('manual' in data) return;
  ['pushState', 'replaceState'].map(function (name) {
    var old = history[name];
    history[name] = function () { old.apply(this, arguments); page() };
  });
  win.addEventListener('popstate', page);
  win.addEventListener('hashchange', page);
  /* A page that comes back out of the browser's memory is looked at anew. */
  win.addEventListener('pageshow', function (event) { if (event.persisted) last = 0, page() });
  if (doc.prerendering) doc.addEventListener('prerenderingchange', page);
  else page();
})(window, document, location);
