// The page of a share link: asks the API with the link's token and draws what it answers.
'use strict';

const token = location.pathname.split('/').pop();
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

const seconds = (value) => {
  const whole = Math.round(value);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`;
};
const plain = (value) => compact.format(value);
const METRICS = [
  ['visitors', 'Visitors', plain, true],
  ['visits', 'Visits', plain, true],
  ['pageviews', 'Page views', plain, true],
  ['views_per_visit', 'Views per visit', (value) => number.format(value), true],
  ['bounce_rate', 'Bounce rate', (value) => `${value}%`, false],
  ['visit_duration', 'Visit duration', seconds, true],
];
const LISTS = [
  ['Pages', 'event:page', 'page'],
  ['Sources', 'visit:source', 'source'],
  ['Countries', 'visit:country', 'country'],
  ['Devices', 'visit:device', 'device'],
];
const names = METRICS.map(([name]) => name).join(',');
let metric = METRICS[0];
let series = [];
let round = 0;

async function ask(what, parameters) {
  const query = new URLSearchParams(parameters);
  const response = await fetch(`/api/visits/${what}?${query}`, { headers: { 'X-Share-Token': token } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.message || `The server answered ${response.status}`);
  return body;
}

function make(name, parts = {}, ...inner) {
  const element = document.createElement(name);
  Object.assign(element, parts);
  element.append(...inner);
  return element;
}

function shape(name, parts, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(parts)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

async function load() {
  const mine = ++round;
  const period = byId('period').value;
  document.querySelector('main').setAttribute('aria-busy', 'true');
  try {
    const compare = ['30m', 'all'].includes(period) ? {} : { compare: 'previous_period' };
    const [sums, times, ...lists] = await Promise.all([
      ask('aggregate', { period, metrics: names, ...compare }),
      ask('timeseries', { period, metrics: names }),
      ...LISTS.map(([, property]) => ask('breakdown', { period, property, limit: 10 })),
    ]);
    if (mine !== round) return;
    series = times.results;
    showTiles(sums.results);
    showSeries();
    showLists(lists);
    showAbout(sums.meta);
    byId('trouble').hidden = true;
  } catch (error) {
    if (mine !== round) return;
    byId('trouble').textContent = error.message;
    byId('trouble').hidden = false;
  }
  document.querySelector('main').setAttribute('aria-busy', 'false');
}

async function showLive() {
  const live = byId('live');
  try {
    const { results } = await ask('realtime', {});
    live.textContent = `${number.format(results.visitors)} ${results.visitors === 1 ? 'visitor' : 'visitors'} in the last five minutes`;
    live.hidden = false;
  } catch {
    live.hidden = true;
  }
}

function showTiles(results) {
  byId('tiles').replaceChildren(...METRICS.map((one) => {
    const [name, title, format, growthIsGood] = one;
    const { value, change } = results[name];
    const button = make('button', { type: 'button' },
      make('span', { className: 'name', textContent: title }),
      make('span', { className: 'value', textContent: value === null ? '–' : format(value) }));
    if (typeof change === 'number') {
      const unit = name === 'bounce_rate' ? ' points' : '%';
      const good = change === 0 ? '' : (change > 0) === growthIsGood ? 'up' : 'down';
      const sign = change > 0 ? '▲' : change < 0 ? '▼' : '';
      const text = make('span', { className: `change ${good}`, textContent: `${sign} ${Math.abs(change)}${unit}` });
      text.setAttribute('aria-label', `${change >= 0 ? 'up' : 'down'} by ${Math.abs(change)}${unit} since the time before`);
      button.append(text);
    }
    button.setAttribute('aria-pressed', String(one === metric));
    button.addEventListener('click', () => {
      metric = one;
      for (const other of byId('tiles').children) other.setAttribute('aria-pressed', String(other === button));
      showSeries();
    });
    return button;
  }));
}

const valueOf = (row) => row[metric[0]] ?? 0;

function showSeries() {
  const empty = series.every((row) => (row.visitors ?? 0) === 0);
  byId('none').hidden = !empty;
  for (const id of ['chart', 'numbers']) {
    if (empty) byId(id).setAttribute('hidden', '');
    else byId(id).removeAttribute('hidden');
  }
  byId('point').textContent = '';
  if (empty) return;
  draw();
  const head = make('tr', {}, make('th', { textContent: 'Time' }), make('th', { textContent: metric[1] }));
  document.querySelector('#numbers thead').replaceChildren(head);
  document.querySelector('#numbers tbody').replaceChildren(...series.map((row) =>
    make('tr', {}, make('td', { textContent: row.date }), make('td', { textContent: metric[2](valueOf(row)) }))));
}

function draw() {
  const chart = byId('chart');
  const { width, height } = chart.getBoundingClientRect();
  const box = { left: 44, right: width - 12, top: 10, bottom: height - 24 };
  const most = ceiling(Math.max(...series.map(valueOf)));
  const x = (place) => series.length === 1 ? (box.left + box.right) / 2
    : box.left + (box.right - box.left) * place / (series.length - 1);
  const y = (value) => box.bottom - (box.bottom - box.top) * value / most;
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`);
  chart.replaceChildren();
  for (const part of [0, 0.5, 1]) {
    const level = y(most * part);
    chart.append(shape('line', { class: 'grid', x1: box.left, x2: box.right, y1: level, y2: level }));
    chart.append(shape('text', { x: box.left - 6, y: level + 4, 'text-anchor': 'end' }, metric[2](most * part)));
  }
  const points = series.map((row, place) => `${x(place).toFixed(1)},${y(valueOf(row)).toFixed(1)}`);
  chart.append(shape('path', { class: 'area', d: `M${x(0)},${box.bottom}L${points.join('L')}L${x(series.length - 1)},${box.bottom}Z` }));
  chart.append(shape('path', { class: 'line', d: `M${points.join('L')}` }));
  if (series.length === 1) chart.append(shape('circle', { class: 'dot', cx: x(0), cy: y(valueOf(series[0])), r: 5 }));
  const step = Math.ceil(series.length / Math.max(2, Math.floor(width / 110)));
  for (let place = 0; place < series.length; place += step) {
    const anchor = place === 0 ? 'start' : place > series.length - step / 2 ? 'end' : 'middle';
    chart.append(shape('text', { x: x(place), y: height - 6, 'text-anchor': anchor }, short(series[place].date)));
  }
  follow(chart, x, y, box);
}

// A round number above the greatest value, so that the scale has readable steps.
function ceiling(value) {
  if (value <= 2) return 2;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 6, 8, 10].map((times) => times * size).find((round) => round >= value);
}

const short = (date) => date.length > 10 ? date.slice(11, 16) : date.slice(5);

// The pointer and the arrow keys move a mark along the line.
function follow(chart, x, y, box) {
  const mark = shape('line', { class: 'mark', y1: box.top, y2: box.bottom });
  const dot = shape('circle', { class: 'dot', r: 5 });
  let at = series.length - 1;
  const show = (place) => {
    at = Math.min(series.length - 1, Math.max(0, place));
    mark.setAttribute('x1', x(at));
    mark.setAttribute('x2', x(at));
    dot.setAttribute('cx', x(at));
    dot.setAttribute('cy', y(valueOf(series[at])));
    if (!mark.isConnected) chart.append(mark, dot);
    byId('point').textContent = `${series[at].date}: ${metric[1]} ${metric[2](valueOf(series[at]))}`;
  };
  const hide = () => {
    mark.remove();
    dot.remove();
    byId('point').textContent = '';
  };
  chart.onpointermove = (event) => {
    const part = (event.offsetX - box.left) / (box.right - box.left);
    show(Math.round(part * (series.length - 1)));
  };
  chart.onpointerleave = hide;
  chart.onblur = hide;
  chart.onkeydown = (event) => {
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: series.length - 1 };
    if (!(event.key in places)) return;
    event.preventDefault();
    show(mark.isConnected ? places[event.key] : at);
  };
}

function showLists(answers) {
  byId('lists').replaceChildren(...LISTS.map(([title, , column], place) => {
    const rows = answers[place].results;
    const most = Math.max(1, ...rows.map((row) => row.visitors));
    const list = make('ol', {}, ...rows.map((row) => {
      const bar = make('i');
      bar.style.width = `${100 * row.visitors / most}%`;
      const name = column === 'country' && /^[A-Z]{2}$/.test(row[column]) ? regions.of(row[column]) : row[column];
      const label = make('span', { textContent: name, title: name });
      return make('li', {}, bar, label, make('b', { textContent: number.format(row.visitors) }));
    }));
    const inner = rows.length ? list : make('p', { className: 'empty', textContent: 'Nothing in this time' });
    return make('section', { className: 'card' }, make('h2', { textContent: `${title} by visitors` }), inner);
  }));
}

function showAbout(meta) {
  byId('site').textContent = meta.site_id;
  document.title = `${meta.site_id}: visits`;
  const bots = meta.left_out.bots ? `${number.format(meta.left_out.bots)} events of bots are left out. ` : '';
  const own = meta.imported ? 'Some of these figures are imported. ' : '';
  const at = new Date(meta.as_of).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: meta.timezone, hourCycle: 'h23' });
  byId('about').textContent = `${bots}${own}Days begin in ${meta.timezone}. As of ${at}.`;
}

const asked = new URLSearchParams(location.hash.slice(1)).get('period');
byId('period').value = [...byId('period').options].some((option) => option.value === asked) ? asked : '30d';
byId('period').addEventListener('change', () => {
  history.replaceState(null, '', `#period=${byId('period').value}`);
  load();
});
let resized;
addEventListener('resize', () => {
  clearTimeout(resized);
  resized = setTimeout(showSeries, 100);
});
load();
showLive();
setInterval(() => { if (!document.hidden) showLive(); }, 30_000);
