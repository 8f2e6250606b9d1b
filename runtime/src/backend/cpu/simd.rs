//! Which instruction set the kernels use: the best that the processor has, asked for once.

use std::sync::LazyLock;

use pulp::Arch;

/// The instruction set of this process. The environment variable `FLAXEN_SIMD` may hold it down to `avx2` or
/// `scalar`, to look for a bug or to compare.
pub(super) fn arch() -> Arch {
    static ARCH: LazyLock<Arch> = LazyLock::new(|| {
        let wanted = std::env::var("FLAXEN_SIMD").unwrap_or_default();
        available().find(|arch| wanted.is_empty() || name(*arch) == wanted).unwrap_or(Arch::Scalar)
    });
    *ARCH
}

/// Every instruction set that this processor can run, the best first.
pub(super) fn available() -> impl Iterator<Item = Arch> {
    #[cfg(target_arch = "x86_64")]
    let sets =
        [pulp::x86::V4::try_new().map(Arch::V4), pulp::x86::V3::try_new().map(Arch::V3), Some(Arch::Scalar)];
    #[cfg(not(target_arch = "x86_64"))]
    let sets = [Some(Arch::new()), Some(Arch::Scalar)];
    sets.into_iter().flatten()
}

/// The name that `FLAXEN_SIMD` knows an instruction set by.
fn name(arch: Arch) -> &'static str {
    match arch {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "avx512",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "avx2",
        Arch::Scalar => "scalar",
        _ => "best",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scalar_set_is_always_there() {
        assert!(available().any(|arch| name(arch) == "scalar"));
        assert!(available().any(|best| name(best) == name(arch())));
    }
}
