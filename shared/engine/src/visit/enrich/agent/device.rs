//! The kind of device behind a user agent.

/// Systems of desktop computers.
const DESKTOPS: [&str; 4] = ["Windows NT", "Macintosh", "X11", "CrOS"];
/// Words of tablets that are not Android's own way of saying so.
const TABLETS: [&str; 5] = ["iPad", "Tablet", "PlayBook", "Kindle", "Silk/"];
/// Words of phones.
const PHONES: [&str; 10] = [
    "iPhone",
    "iPod",
    "Windows Phone",
    "BlackBerry",
    "BB10",
    "Opera Mini",
    "Opera Mobi",
    "KAIOS",
    "Symbian",
    "IEMobile",
];
/// Words of television sets, consoles, watches and headsets, which are none of the three.
const OTHERS: [&str; 13] = [
    "SmartTV",
    "SMART-TV",
    "Smart TV",
    "HbbTV",
    "AppleTV",
    "Apple TV",
    "GoogleTV",
    "Android TV",
    "AFT",
    "PlayStation",
    "Nintendo",
    "Xbox",
    "Quest",
];

/// `Desktop`, `Mobile`, `Tablet` or empty.
///
/// Words of other things first, then words of tablets, then words of phones. Android says `Mobile` on phones and not on
/// tablets ("User-agent strings", Chrome for Developers). What else says `Mobile` is a phone. Systems of desktop computers
/// come last, since tablets name them too.
pub(super) fn device(user_agent: &str, os: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| user_agent.contains(word));
    let says_mobile = user_agent.contains("Mobile");
    if has(&OTHERS) {
        ""
    } else if has(&TABLETS) && !(says_mobile && user_agent.contains("Android") && !user_agent.contains("Tablet")) {
        "Tablet"
    } else if has(&PHONES) {
        "Mobile"
    } else if user_agent.contains("Android") {
        if says_mobile { "Mobile" } else { "Tablet" }
    } else if says_mobile {
        "Mobile"
    } else if has(&DESKTOPS) || matches!(os, "Windows" | "macOS" | "Linux" | "Ubuntu" | "Chrome OS") {
        "Desktop"
    } else {
        ""
    }
}
