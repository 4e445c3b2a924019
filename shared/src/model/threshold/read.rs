//! Reading a threshold's text.

use super::{Compare, Count, Metric, Statistic, Threshold, Time};

const KNOWN: &str = "known are p50, p90, p95, p99, p99.9 and other percentiles, mean and max (of the response time, or \
                     after `service.` or `lag.`), error_rate, success_rate, achieved, requests_per_second, errors, \
                     dropped, missed and late";

pub(super) fn threshold(text: &str) -> Result<Threshold, String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((name, compare, value)) = split(&text) else {
        return Err(format!("`{text}` has no comparison: write a figure, one of < <= > >= == and a limit"));
    };
    let metric = metric(name).ok_or_else(|| format!("`{name}` is not a figure: {KNOWN}"))?;
    let (metric, limit) = limit(metric, compare, value)?;
    Ok(Threshold { metric, compare, limit, text })
}

fn split(text: &str) -> Option<(&str, Compare, &str)> {
    let at = text.find(['<', '>', '='])?;
    let (name, rest) = text.split_at_checked(at)?;
    let signs = [
        ("<=", Compare::LessOrEqual),
        (">=", Compare::GreaterOrEqual),
        ("==", Compare::Equal),
        ("<", Compare::Less),
        (">", Compare::Greater),
    ];
    signs.into_iter().find_map(|(sign, compare)| Some((name, compare, rest.strip_prefix(sign)?)))
}

fn metric(name: &str) -> Option<Metric> {
    let plain = match name {
        "error_rate" | "rate" => Metric::Share(Count::Errors),
        "success_rate" => Metric::Share(Count::Successes),
        "errors" | "failed" => Metric::Count(Count::Errors),
        "dropped" => Metric::Count(Count::Dropped),
        "missed" => Metric::Count(Count::Missed),
        "late" => Metric::Count(Count::Late),
        "achieved" => Metric::Achieved,
        "requests_per_second" | "rps" => Metric::Rate,
        _ => return time(name),
    };
    Some(plain)
}

fn time(name: &str) -> Option<Metric> {
    let prefixes = [
        ("response_time_ms.", Time::Response),
        ("response.", Time::Response),
        ("service_time_ms.", Time::Service),
        ("service.", Time::Service),
        ("send_lag_ms.", Time::Lag),
        ("lag.", Time::Lag),
        ("", Time::Response),
    ];
    let (time, name) = prefixes.into_iter().find_map(|(prefix, time)| Some((time, name.strip_prefix(prefix)?)))?;
    let statistic = match name {
        "mean" | "avg" => Statistic::Mean,
        "med" => Statistic::Quantile(500_000),
        "max" => Statistic::Max,
        _ => {
            let digits = name.strip_prefix('p')?;
            let inside = digits.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            Statistic::Quantile(per_million(inside.unwrap_or(digits))?)
        }
    };
    Some(Metric::Time(time, statistic))
}

/// `99.9` as 999 000; nothing outside 0 to 100, at most four decimals.
fn per_million(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 4 {
        return None;
    }
    let parts: u32 = format!("{decimals:0<4}").parse().ok()?;
    let per_million = whole.parse::<u32>().ok()? * 10_000 + parts;
    (1..=1_000_000).contains(&per_million).then_some(per_million)
}

/// The limit in the figure's unit. A count with `%` becomes a share.
fn limit(metric: Metric, compare: Compare, value: &str) -> Result<(Metric, f64), String> {
    match metric {
        Metric::Time(..) => Ok((metric, milliseconds(value)?)),
        Metric::Share(_) | Metric::Achieved => Ok((metric, percent(compare, value)?)),
        Metric::Count(count) => match value.strip_suffix('%') {
            Some(value) => Ok((Metric::Share(count), number(value, "%")?)),
            None => Ok((metric, number(value, "a count")?)),
        },
        Metric::Rate => Ok((metric, number(value.strip_suffix("/s").unwrap_or(value), "requests a second")?)),
    }
}

fn milliseconds(value: &str) -> Result<f64, String> {
    let units = [("us", 0.001), ("µs", 0.001), ("ms", 1.0), ("s", 1000.0), ("", 1.0)];
    let read = units.into_iter().find_map(|(unit, factor)| Some((value.strip_suffix(unit)?, factor)));
    let (value, factor) = read.unwrap_or((value, 1.0));
    Ok(number(value, "a time such as 50ms, 800us or 1.5s")? * factor)
}

/// A share as percent. A bare number is a ratio; where it can only be a slip it is refused.
fn percent(compare: Compare, value: &str) -> Result<f64, String> {
    if let Some(value) = value.strip_suffix('%') {
        return number(value, "a share such as 1%");
    }
    let ratio = number(value, "a share such as 1% or 0.01")?;
    let below = matches!(compare, Compare::Less | Compare::LessOrEqual);
    if ratio > 1.0 || (below && ratio >= 1.0) {
        return Err(format!("`{value}` is not clear as a share: write `{value}%`, or a ratio below 1"));
    }
    Ok(ratio * 100.0)
}

fn number(value: &str, what: &str) -> Result<f64, String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let read = value.parse::<f64>().ok().filter(|number| digits && number.is_finite());
    read.ok_or_else(|| format!("`{value}` is not a limit: expected {what}"))
}
