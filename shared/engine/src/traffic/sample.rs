//! Drawing from the distributions of a specification with the same bits on every machine.
//!
//! `rand_distr` is not used here: when any other crate switches on the `std` feature of `num-traits`, it
//! computes with the platform's mathematics. Everything below is arithmetic, square roots and `libm`.

use trafficlab_shared::model::content::{Distribution, Shape};

use super::rng::EntryRng;

/// A distribution made ready for drawing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampler {
    law: Law,
    min: f64,
    max: f64,
}

#[derive(Debug, Clone, Copy)]
enum Law {
    Constant(f64),
    Uniform { low: f64, width: f64 },
    Normal { mean: f64, std_dev: f64 },
    LogNormal { log_median: f64, sigma: f64 },
    Exponential { mean: f64 },
    Gamma { shape: f64, scale: f64 },
    Weibull { inverse: f64, scale: f64 },
    Pareto { inverse: f64, scale: f64 },
    Triangular { low: f64, mode: f64, high: f64 },
}

impl Sampler {
    pub(crate) fn new(distribution: &Distribution) -> Self {
        let law = match distribution.shape {
            Shape::Constant { value } => Law::Constant(value),
            Shape::Uniform { low, high } => Law::Uniform { low, width: high - low },
            Shape::Normal { mean, std_dev } => Law::Normal { mean, std_dev },
            Shape::LogNormal { median, sigma } => Law::LogNormal { log_median: libm::log(median), sigma },
            Shape::Exponential { mean } => Law::Exponential { mean },
            Shape::Gamma { shape, scale } => Law::Gamma { shape, scale },
            Shape::Weibull { shape, scale } => Law::Weibull { inverse: 1.0 / shape, scale },
            Shape::Pareto { scale, shape } => Law::Pareto { inverse: 1.0 / shape, scale },
            Shape::Triangular { low, mode, high } => Law::Triangular { low, mode, high },
        };
        Self { law, min: distribution.min, max: distribution.max }
    }

    /// One value, never below 0 and never NaN.
    pub(crate) fn draw(&self, stream: &mut EntryRng) -> f64 {
        let value = match self.law {
            Law::Constant(value) => value,
            Law::Uniform { low, width } => width.mul_add_exact(stream.unit(), low),
            Law::Normal { mean, std_dev } => std_dev.mul_add_exact(normal_quantile(stream.unit()), mean),
            Law::LogNormal { log_median, sigma } => {
                libm::exp(sigma.mul_add_exact(normal_quantile(stream.unit()), log_median))
            }
            Law::Exponential { mean } => mean * exponential(stream),
            Law::Gamma { shape, scale } => scale * gamma(shape, stream),
            Law::Weibull { inverse, scale } => scale * libm::pow(exponential(stream), inverse),
            Law::Pareto { inverse, scale } => scale * libm::pow(stream.unit(), -inverse),
            Law::Triangular { low, mode, high } => triangular(low, mode, high, stream.unit()),
        };
        // `max` and `min` also turn a NaN into a bound.
        value.min(self.max).max(self.min).max(0.0)
    }
}

/// A product and a sum rounded twice, which unlike a fused one is the same on every machine.
trait MulAddExact {
    fn mul_add_exact(self, factor: Self, addend: Self) -> Self;
}

impl MulAddExact for f64 {
    #[allow(clippy::suboptimal_flops, reason = "a fused operation would give other bits where hardware has it")]
    fn mul_add_exact(self, factor: Self, addend: Self) -> Self {
        self * factor + addend
    }
}

fn exponential(stream: &mut EntryRng) -> f64 {
    -libm::log(stream.unit())
}

fn triangular(low: f64, mode: f64, high: f64, unit: f64) -> f64 {
    let width = high - low;
    if width <= 0.0 {
        return low;
    }
    if unit * width < mode - low {
        low + libm::sqrt(unit * width * (mode - low))
    } else {
        high - libm::sqrt((1.0 - unit) * width * (high - mode))
    }
}

/// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
fn gamma(shape: f64, stream: &mut EntryRng) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(stream.unit(), 1.0 / shape);
        return boost * gamma(shape + 1.0, stream);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    // More than nine tries in ten succeed; the bound only makes the end certain.
    for _ in 0..1_000 {
        let normal = normal_quantile(stream.unit());
        let base = 1.0 + c * normal;
        if base <= 0.0 {
            continue;
        }
        let cube = base * base * base;
        let limit = 0.5 * normal * normal + d - d * cube + d * libm::log(cube);
        if libm::log(stream.unit()) < limit {
            return d * cube;
        }
    }
    shape
}

/// Quantile of the standard normal law: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
pub(crate) fn normal_quantile(unit: f64) -> f64 {
    let centred = unit - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&CENTRE_OVER, r) / polynomial(&CENTRE_UNDER, r);
    }
    let tail = if centred < 0.0 { unit } else { 1.0 - unit };
    let r = libm::sqrt(-libm::log(tail));
    let size = if r <= 5.0 {
        polynomial(&TAIL_OVER, r - 1.6) / polynomial(&TAIL_UNDER, r - 1.6)
    } else {
        polynomial(&FAR_OVER, r - 5.0) / polynomial(&FAR_UNDER, r - 5.0)
    };
    if centred < 0.0 { -size } else { size }
}

/// Horner's rule; coefficients from the highest power down.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().fold(0.0f64, |sum, coefficient| sum.mul_add_exact(x, *coefficient))
}

const CENTRE_OVER: [f64; 8] = [
    2.509_080_928_730_122_6e3,
    3.343_057_558_358_813e4,
    6.726_577_092_700_87e4,
    4.592_195_393_154_987e4,
    1.373_169_376_550_946e4,
    1.971_590_950_306_551_3e3,
    1.331_416_678_917_843_8e2,
    3.387_132_872_796_366_5,
];
const CENTRE_UNDER: [f64; 8] = [
    5.226_495_278_852_854e3,
    2.872_908_573_572_194_3e4,
    3.930_789_580_009_271e4,
    2.121_379_430_158_659_7e4,
    5.394_196_021_424_751e3,
    6.871_870_074_920_579e2,
    4.231_333_070_160_091e1,
    1.0,
];
const TAIL_OVER: [f64; 8] = [
    7.745_450_142_783_414e-4,
    2.272_384_498_926_918_4e-2,
    2.417_807_251_774_506e-1,
    1.270_458_252_452_368_4,
    3.647_848_324_763_204_5,
    5.769_497_221_460_691,
    4.630_337_846_156_546,
    1.423_437_110_749_683_5,
];
const TAIL_UNDER: [f64; 8] = [
    1.050_750_071_644_416_9e-9,
    5.475_938_084_995_345e-4,
    1.519_866_656_361_645_7e-2,
    1.481_039_764_274_800_8e-1,
    6.897_673_349_851e-1,
    1.676_384_830_183_803_8,
    2.053_191_626_637_759,
    1.0,
];
const FAR_OVER: [f64; 8] = [
    2.010_334_399_292_288_1e-7,
    2.711_555_568_743_487_6e-5,
    1.242_660_947_388_078_4e-3,
    2.653_218_952_657_612_4e-2,
    2.965_605_718_285_048_7e-1,
    1.784_826_539_917_291_3,
    5.463_784_911_164_114,
    6.657_904_643_501_104,
];
const FAR_UNDER: [f64; 8] = [
    2.044_263_103_389_939_8e-15,
    1.421_511_758_316_446e-7,
    1.846_318_317_510_054_8e-5,
    7.868_691_311_456_133e-4,
    1.487_536_129_085_061_5e-2,
    1.369_298_809_227_358e-1,
    5.998_322_065_558_88e-1,
    1.0,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::traffic::rng::{Domain, EntryKey};
    use proptest::prelude::*;
    use serde_json::json;

    fn stream(seed: u64) -> EntryRng {
        EntryRng::new(EntryKey { seed, shard: 0, slot: 0, k: 0 }, Domain::Exchange)
    }

    #[test]
    fn published_normal_quantiles() {
        // The check values of AS 241.
        for (unit, expected) in
            [(0.25, -0.674_489_750_196_081_7), (0.001, -3.090_232_306_167_814), (1e-20, -9.262_340_089_798_408)]
        {
            assert!((normal_quantile(unit) - expected).abs() < 1e-14, "{unit} {}", normal_quantile(unit));
        }
    }

    #[test]
    fn means_are_right() {
        let cases = [
            (json!({"distribution": "uniform", "min": 2, "max": 4}), 3.0),
            (json!({"distribution": "normal", "mean": 50, "sd": 5}), 50.0),
            (json!({"median": 40, "sigma": 0.5}), 40.0 * 1.133_148_453),
            (json!({"distribution": "exponential", "mean": 7}), 7.0),
            (json!({"distribution": "gamma", "shape": 0.5, "scale": 4}), 2.0),
            (json!({"distribution": "gamma", "shape": 9, "scale": 2}), 18.0),
            (json!({"distribution": "weibull", "shape": 2, "scale": 1}), 0.886_226_925),
            (json!({"distribution": "pareto", "scale": 1, "shape": 4}), 4.0 / 3.0),
            (json!({"distribution": "triangular", "min": 1, "mode": 2, "max": 6}), 3.0),
            (json!(5), 5.0),
        ];
        for (written, expected) in cases {
            let sampler = Sampler::new(&Distribution::parse(&written, "d").unwrap());
            let mut stream = stream(3);
            let mean = (0..50_000).map(|_| sampler.draw(&mut stream)).sum::<f64>() / 50_000.0;
            assert!((mean - expected).abs() < 0.03 * expected, "{written} {mean}");
        }
    }

    proptest! {
        #[test]
        fn bounds_hold(seed in any::<u64>(), median in 1e-9f64..1e9, sigma in 0f64..4.0, low in 0f64..10.0) {
            let sampler = Sampler::new(&Distribution { shape: Shape::LogNormal { median, sigma }, min: low, max: 20.0 });
            let value = sampler.draw(&mut stream(seed));
            prop_assert!((low..=20.0).contains(&value));
        }
    }
}
