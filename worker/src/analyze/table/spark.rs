//! A row of values as small bars.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bar for each value, the greatest full; several values share a bar by their greatest where there are more than
/// `width`. Nothing at all is a space.
pub(super) fn line(values: &[f64], width: usize) -> String {
    let group = values.len().div_ceil(width.max(1)).max(1);
    let grouped: Vec<f64> = values.chunks(group).map(|chunk| chunk.iter().copied().fold(0.0, f64::max)).collect();
    let most = grouped.iter().copied().fold(0.0, f64::max);
    grouped.into_iter().map(|value| bar(value, most)).collect()
}

fn bar(value: f64, most: f64) -> char {
    if value <= 0.0 || most <= 0.0 {
        return ' ';
    }
    let steps = 8.0;
    let step = crate::generate::figures::whole((value / most * steps).ceil());
    let place = usize::try_from(step.saturating_sub(1)).unwrap_or(0).min(BARS.len() - 1);
    BARS.get(place).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_rise_with_values() {
        assert_eq!(line(&[0.0, 1.0, 4.0, 8.0], 10), " ▁▄█");
        assert_eq!(line(&[1.0, 8.0, 2.0, 2.0, 4.0], 3), "█▂▄");
        assert_eq!(line(&[0.0, 0.0], 10), "  ");
        assert_eq!(line(&[], 10), "");
    }
}
