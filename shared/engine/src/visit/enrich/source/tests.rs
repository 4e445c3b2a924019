//! Sources and channels of whole visits.

use super::*;

/// Referrer, query, and what comes out: referrer, source, channel.
const VISITS: [(&str, &str, &str, &str, &str); 34] = [
    ("", "", "", "", "Direct"),
    ("https://www.google.com/", "", "google.com", "Google", "Organic Search"),
    ("https://www.google.co.uk/search?q=x", "", "google.co.uk/search", "Google", "Organic Search"),
    ("https://www.google.com/", "gclid=abc", "google.com", "Google", "Paid Search"),
    ("", "gclid=abc", "", "Google", "Paid Search"),
    ("", "msclkid=abc", "", "Bing", "Paid Search"),
    ("", "fbclid=abc", "", "Facebook", "Organic Social"),
    (
        "https://l.facebook.com/l.php?u=x",
        "fbclid=a&utm_medium=paid_social",
        "l.facebook.com/l.php",
        "Facebook",
        "Paid Social",
    ),
    ("", "utm_source=adwords", "", "Google", "Paid Search"),
    ("", "utm_source=facebook-ads", "", "Facebook", "Paid Social"),
    ("", "utm_source=youtube&utm_medium=cpc", "", "YouTube", "Paid Video"),
    ("https://youtu.be/x", "", "youtu.be/x", "YouTube", "Organic Video"),
    ("", "utm_source=partner&utm_medium=cpm", "", "partner", "Display"),
    ("", "utm_source=partner&utm_medium=cpc", "", "partner", "Paid Other"),
    ("", "utm_source=google&utm_medium=cpc&utm_campaign=cross-network", "", "Google", "Cross-network"),
    ("", "utm_source=google&utm_medium=cpc&utm_campaign=spring+shopping", "", "Google", "Paid Shopping"),
    ("https://www.amazon.de/dp/1", "", "amazon.de/dp/1", "Amazon", "Organic Shopping"),
    ("https://chatgpt.com/", "", "chatgpt.com", "ChatGPT", "AI Assistants"),
    ("", "utm_source=chatgpt.com", "", "ChatGPT", "AI Assistants"),
    ("https://mail.google.com/", "", "mail.google.com", "Gmail", "Email"),
    ("", "utm_source=weekly+newsletter", "", "weekly newsletter", "Email"),
    ("", "utm_medium=e-mail", "", "", "Email"),
    ("", "utm_source=x1&utm_medium=affiliate", "", "x1", "Affiliates"),
    ("", "utm_source=pod&utm_medium=audio", "", "pod", "Audio"),
    ("", "utm_source=sms", "", "sms", "SMS"),
    ("", "utm_source=app1&utm_medium=web-push", "", "app1", "Mobile Push Notifications"),
    ("", "utm_medium=referral", "", "", "Referral"),
    ("https://www.blog.example/post/?x=1", "", "blog.example/post", "blog.example", "Referral"),
    ("https://blog.example/", "ref=producthunt", "blog.example", "Product Hunt", "Organic Social"),
    ("https://www.example.com/other", "", "", "", "Direct"),
    ("https://shop.example.com/other", "", "", "", "Direct"),
    ("https://notexample.com/", "", "notexample.com", "notexample.com", "Referral"),
    ("android-app://com.google.android.gm/", "", "com.google.android.gm", "Gmail", "Email"),
    ("no address", "utm_medium=organic", "", "", "Organic Search"),
];

#[test]
fn visits_have_sources_and_channels() {
    for (referrer, query, text, name, channel) in VISITS {
        let source = Source::of(Some(referrer), query, "example.com");
        let found = source.acquisition();
        assert_eq!((found.referrer, found.source, found.channel), (text, name, channel), "{referrer} ?{query}");
    }
}

#[test]
fn campaign_parameters_are_kept_beside_the_source() {
    let mut scratch = Scratch::default();
    let query = "utm_source=News&utm_medium=email&utm_campaign=a%20b&utm_content=c&utm_term=d&gclid=G%2B1";
    let (found, click) = acquisition(None, query, "example.com", &mut scratch);
    assert_eq!((found.utm_source, found.utm_medium, found.utm_campaign), ("News", "email", "a b"));
    assert_eq!((found.utm_content, found.utm_term, found.click_kind, click), ("c", "d", "gclid", "gclid:G+1"));
}

#[test]
fn a_plain_referrer_is_borrowed() {
    let source = Source::of(Some("https://www.google.com/"), "utm_medium=x", "example.com");
    assert!(matches!(source.referrer, Cow::Borrowed(_)) && matches!(source.medium, Cow::Borrowed(_)));
}
