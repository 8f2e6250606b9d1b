//! How far a number may be from the fixture's.

/// What the `tol` of a case says. A value passes if it is equal, or within any of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Units in the last place of an `f32`.
    pub ulp: u32,
    /// A share of the expected value, added to `atol`.
    pub rtol: f32,
    /// A distance.
    pub atol: f32,
}

impl Tolerance {
    /// Every bit must agree.
    pub const EXACT: Self = Self { ulp: 0, rtol: 0.0, atol: 0.0 };

    /// At most so many units in the last place.
    pub const fn ulp(ulp: u32) -> Self {
        Self { ulp, ..Self::EXACT }
    }

    /// `|got - expected| <= atol + rtol * |expected|`
    pub const fn close(rtol: f32, atol: f32) -> Self {
        Self { ulp: 0, rtol, atol }
    }

    /// Reads a fixture's `tol`: `exact`, `ulp:4`, `rtol 1e-5, atol 1e-6`, `1 bf16 ulp`; what follows a `;`
    /// explains.
    pub fn parse(text: &str) -> Self {
        let mut tolerance = Self::EXACT;
        let number = |text: &str| text.trim().parse().unwrap_or_else(|_| panic!("tolerance `{text}`"));
        for part in text.split(';').next().unwrap_or_default().split(',').map(str::trim) {
            if let Some(ulp) = part.strip_prefix("ulp:") {
                tolerance.ulp = number(ulp) as u32;
            } else if let Some(rtol) = part.strip_prefix("rtol ") {
                tolerance.rtol = number(rtol);
            } else if let Some(atol) = part.strip_prefix("atol ") {
                tolerance.atol = number(atol);
            } else if let Some(ulp) = part.strip_suffix(" bf16 ulp") {
                tolerance.ulp = (number(ulp) as u32) << 16;
            } else {
                assert_eq!(part, "exact", "unknown tolerance `{part}`");
            }
        }
        tolerance
    }

    /// Whether a value may stand for the expected one. Infinities and NaN stand for themselves only.
    pub fn allows(&self, got: f32, expected: f32) -> bool {
        if got == expected || (got.is_nan() && expected.is_nan()) {
            return true;
        }
        if !got.is_finite() || !expected.is_finite() {
            return false;
        }
        ulp_distance(got, expected) <= self.ulp
            || (got - expected).abs() <= self.atol + self.rtol * expected.abs()
    }

    /// Panics with the case, the place and both values at the first value that is too far off.
    #[track_caller]
    pub fn check(&self, case: &str, got: &[f32], expected: &[f32]) {
        assert_eq!(got.len(), expected.len(), "{case}: number of elements");
        for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
            assert!(
                self.allows(got, expected),
                "{case}: element {i} is {got:?}, expected {expected:?} ({} ulp apart; allowed: {self:?})",
                ulp_distance(got, expected),
            );
        }
    }
}

/// How many `f32` values apart two numbers are. The two zeros are one place.
pub fn ulp_distance(a: f32, b: f32) -> u32 {
    let place = |x: f32| {
        let magnitude = i64::from(x.to_bits() & 0x7FFF_FFFF);
        if x.is_sign_negative() { -magnitude } else { magnitude }
    };
    place(a).abs_diff(place(b)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_the_fixtures() {
        assert_eq!(Tolerance::parse("exact"), Tolerance::EXACT);
        assert_eq!(Tolerance::parse("ulp:4"), Tolerance::ulp(4));
        assert_eq!(Tolerance::parse("ulp:16, atol 1e-6"), Tolerance { ulp: 16, rtol: 0.0, atol: 1e-6 });
        assert_eq!(Tolerance::parse("rtol 1e-5, atol 1e-6; inf as it is"), Tolerance::close(1e-5, 1e-6));
        assert_eq!(Tolerance::parse("1 bf16 ulp"), Tolerance::ulp(1 << 16));
    }

    #[test]
    fn distances_cross_zero() {
        assert_eq!(ulp_distance(0.0, -0.0), 0);
        assert_eq!(ulp_distance(1.0, 1.0 + f32::EPSILON), 1);
        assert_eq!(ulp_distance(f32::from_bits(1), -f32::from_bits(1)), 2);
        assert!(!Tolerance::close(1.0, 1.0).allows(f32::INFINITY, 1.0));
        assert!(Tolerance::EXACT.allows(f32::NAN, f32::NAN));
    }
}
