//! What is strange, the worst first within each moment.

use std::io::{Result, Write};

use trafficlab_shared::model::capture::anomaly::Anomaly;

use super::{Paint, Parts, WIDTH, heading, offset};
use crate::generate::figures::count;

/// Anomalies told; further ones are counted.
const SHOWN: usize = 40;
/// Columns before a message.
const INDENT: usize = 38;

pub(super) fn write(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let all = u64::try_from(parts.anomalies.len()).unwrap_or(u64::MAX);
    if all == 0 {
        heading(out, paint, "anomalies")?;
        return writeln!(out, "  nothing strange");
    }
    heading(out, paint, &format!("anomalies  {}", count(all)))?;
    writeln!(out, "{}", paint.faint(&format!("  {:<11}{:<8}{:<17}{}", "from s", "", "type", "what")))?;
    let origin = parts.windows.first().map_or(0, |first| first.start_ns);
    for anomaly in parts.anomalies.iter().take(SHOWN) {
        line(out, anomaly, origin, paint)?;
    }
    if parts.anomalies.len() > SHOWN {
        let more = parts.anomalies.len() - SHOWN;
        writeln!(
            out,
            "  and {} more; `--format jsonl --what anomalies` has all",
            count(u64::try_from(more).unwrap_or(0))
        )?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, anomaly: &Anomaly, origin_ns: i64, paint: Paint) -> Result<()> {
    let severity = paint.severity(anomaly.severity, &format!("{:<8}", anomaly.severity.as_str()));
    let head = format!("  {:<11}{severity}{:<17}", offset(origin_ns, anomaly.start_ns), anomaly.kind.as_str());
    let ends: Vec<&str> = anomaly.flow_src.iter().chain(&anomaly.flow_dst).map(String::as_str).collect();
    let told = ends.iter().all(|end| anomaly.message.contains(end));
    let mut lines = wrapped(&anomaly.message, WIDTH - INDENT);
    if !ends.is_empty() && !told {
        lines.extend(wrapped(&ends.join(" → "), WIDTH - INDENT));
    }
    for (place, text) in lines.iter().enumerate() {
        if place == 0 {
            writeln!(out, "{head}{text}")?;
        } else {
            writeln!(out, "{}{text}", " ".repeat(INDENT))?;
        }
    }
    Ok(())
}

/// Words in lines of at most so many columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            word.clone_into(line);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_wrapped_between_words() {
        assert_eq!(wrapped("a bc def ghij", 6), ["a bc", "def", "ghij"]);
        assert_eq!(wrapped("", 6), [""]);
    }
}
