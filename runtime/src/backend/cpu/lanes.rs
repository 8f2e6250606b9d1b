//! What the kernels ask of an element type: SIMD registers of it, under one name for `f32` and `f64`.

#![allow(unsafe_code)]

use std::ops::{Add, AddAssign, Div, Mul};

use crate::backend::Gemm;
use pulp::{MemMask, Simd};

/// A number as the loops see it that the compiler turns into SIMD by itself: `f32`, `f64`, and dual numbers of them.
pub trait Number:
    Copy
    + Default
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// The value that never wins a maximum: minus infinity.
    const LOWEST: Self;
    /// A small whole number.
    fn from_count(count: usize) -> Self;
}

/// The first lanes of a register.
#[derive(Clone, Copy)]
pub struct FirstLanes<M> {
    mask: M,
    count: usize,
}

/// An element type with SIMD registers. The operations on registers are those of [`pulp::Simd`].
pub trait Lanes: Number + From<f32> {
    /// A register full of elements.
    type Register<S: Simd>: Copy;
    /// The number of elements in a register.
    fn lanes<S: Simd>() -> usize;
    /// A register with one value in all lanes.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;
    /// `a + b`.
    fn add_lanes<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;
    /// `a * b + c`, rounded once where the processor can.
    fn mul_add_lanes<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
    /// `max(a, 0)`; NaN stays NaN.
    fn relu_lanes<S: Simd>(simd: S, a: Self::Register<S>) -> Self::Register<S>;

    /// The larger of the two, NaN if either is; `a` if they are equal.
    fn max_lanes<S: Simd>(simd: S, a: Self::Register<S>, b: Self::Register<S>) -> Self::Register<S>;

    /// The sum of all lanes.
    fn sum_lanes<S: Simd>(simd: S, a: Self::Register<S>) -> Self;

    /// A mask of lanes.
    type Mask<S: Simd>: Copy;
    /// The first `count` lanes, all of them if there are no more.
    fn first_lanes<S: Simd>(simd: S, count: usize) -> FirstLanes<Self::Mask<S>>;

    /// Reads the first lanes; the others are zero.
    ///
    /// # Safety
    /// The elements of these lanes must be readable, counted from `from`.
    unsafe fn load_some<S: Simd>(
        simd: S,
        lanes: FirstLanes<Self::Mask<S>>,
        from: *const Self,
    ) -> Self::Register<S>;

    /// Writes the first lanes by a masked store.
    ///
    /// # Safety
    /// As for [`Self::store_some`].
    unsafe fn store_masked<S: Simd>(
        simd: S,
        lanes: FirstLanes<Self::Mask<S>>,
        to: *mut Self,
        register: Self::Register<S>,
    );

    /// Writes the first lanes.
    ///
    /// # Safety
    /// The elements of these lanes must be writable, counted from `to`.
    #[inline(always)]
    unsafe fn store_some<S: Simd>(
        simd: S,
        lanes: FirstLanes<Self::Mask<S>>,
        to: *mut Self,
        register: Self::Register<S>,
    ) {
        if const { size_of::<S::f32s>() == 64 } {
            // SAFETY: the caller's promise.
            return unsafe { Self::store_masked(simd, lanes, to, register) };
        }
        // AVX2 has masked stores, too, but AMD's processors make dozens of steps of each.
        let (from, mut done) = ((&raw const register).cast::<Self>(), 0);
        for piece in [8, 4, 2, 1] {
            if lanes.count & piece != 0 {
                // SAFETY: the caller's promise; the pieces are different powers of two, whose sum is `count`.
                unsafe { to.add(done).copy_from_nonoverlapping(from.add(done), piece) };
                done += piece;
            }
        }
    }

    /// `C = A·B`, or `C += A·B`, by `matrixmultiply`. The operands reach as far as their strides say, and `C` as far as
    /// rows that are `c_stride` apart.
    fn portable_product(gemm: Gemm<'_, Self>, accumulate: bool, c: &mut [Self], c_stride: usize);

    /// Reads a register.
    ///
    /// # Safety
    /// As many elements as a register has must be readable at `from`.
    #[inline(always)]
    unsafe fn load<S: Simd>(from: *const Self) -> Self::Register<S> {
        // SAFETY: the caller's promise; `read_unaligned` asks for no alignment.
        unsafe { from.cast::<Self::Register<S>>().read_unaligned() }
    }

    /// Writes a register.
    ///
    /// # Safety
    /// As many elements as a register has must be writable at `to`.
    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut Self, register: Self::Register<S>) {
        // SAFETY: the caller's promise; `write_unaligned` asks for no alignment.
        unsafe { to.cast::<Self::Register<S>>().write_unaligned(register) }
    }
}

macro_rules! lanes {
    ($float:ty, $registers:ident, $lanes:ident, $splat:ident, $add:ident, $mul_add:ident, $less:ident, $greater_or_equal:ident,
     $equal:ident, $select:ident, $sum:ident,
     $mask:ident: $bits:ty, $between:ident, $load:ident, $store:ident, $product:ident) => {
        impl Number for $float {
            const LOWEST: Self = Self::NEG_INFINITY;

            #[inline(always)]
            fn from_count(count: usize) -> Self {
                count as Self
            }
        }

        impl Lanes for $float {
            type Register<S: Simd> = S::$registers;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$registers {
                simd.$splat(value)
            }

            #[inline(always)]
            fn add_lanes<S: Simd>(simd: S, a: S::$registers, b: S::$registers) -> S::$registers {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn mul_add_lanes<S: Simd>(
                simd: S,
                a: S::$registers,
                b: S::$registers,
                c: S::$registers,
            ) -> S::$registers {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn relu_lanes<S: Simd>(simd: S, a: S::$registers) -> S::$registers {
                let zero = simd.$splat(0.0);
                simd.$select(simd.$less(a, zero), zero, a)
            }

            #[inline(always)]
            fn max_lanes<S: Simd>(simd: S, a: S::$registers, b: S::$registers) -> S::$registers {
                // Only NaN differs from itself.
                let other = simd.$select(simd.$equal(a, a), b, a);
                simd.$select(simd.$greater_or_equal(a, b), a, other)
            }

            #[inline(always)]
            fn sum_lanes<S: Simd>(simd: S, a: S::$registers) -> Self {
                simd.$sum(a)
            }

            type Mask<S: Simd> = S::$mask;

            #[inline(always)]
            fn first_lanes<S: Simd>(simd: S, count: usize) -> FirstLanes<S::$mask> {
                let count = count.min(S::$lanes);
                FirstLanes { mask: simd.$between(0, count as $bits).mask(), count }
            }

            // A mask without the functions that `pulp` calls where a masked access is slow: a load is not.
            #[inline(always)]
            unsafe fn load_some<S: Simd>(
                simd: S,
                lanes: FirstLanes<S::$mask>,
                from: *const Self,
            ) -> S::$registers {
                // SAFETY: the caller's promise.
                unsafe { simd.$load(MemMask::new(lanes.mask), from) }
            }

            #[inline(always)]
            unsafe fn store_masked<S: Simd>(
                simd: S,
                lanes: FirstLanes<S::$mask>,
                to: *mut Self,
                register: S::$registers,
            ) {
                // SAFETY: the caller's promise.
                unsafe { simd.$store(MemMask::new(lanes.mask), to, register) }
            }

            fn portable_product(gemm: Gemm<'_, Self>, accumulate: bool, c: &mut [Self], c_stride: usize) {
                let Gemm { m, k, n, a, a_strides, b, b_strides } = gemm;
                let strides = |[rows, columns]: [usize; 2]| (rows as isize, columns as isize);
                let ((a_row, a_column), (b_row, b_column)) = (strides(a_strides), strides(b_strides));
                let (a, b, keep) = (a.as_ptr(), b.as_ptr(), if accumulate { 1.0 } else { 0.0 });
                let row = c_stride as isize;
                // SAFETY: `A` and `B` reach as far as their strides say, `C` holds `m` rows that are so far apart, and none overlap
                // with `C`, which is borrowed mutably.
                unsafe {
                    matrixmultiply::$product(
                        m,
                        k,
                        n,
                        1.0,
                        a,
                        a_row,
                        a_column,
                        b,
                        b_row,
                        b_column,
                        keep,
                        c.as_mut_ptr(),
                        row,
                        1,
                    );
                }
            }
        }
    };
}

lanes!(f32, f32s, F32_LANES, splat_f32s, add_f32s, mul_add_e_f32s, less_than_f32s,
    greater_than_or_equal_f32s, equal_f32s, select_f32s, reduce_sum_f32s,
    m32s: u32, mask_between_m32s, mask_load_ptr_f32s, mask_store_ptr_f32s, sgemm);
lanes!(f64, f64s, F64_LANES, splat_f64s, add_f64s, mul_add_e_f64s, less_than_f64s,
    greater_than_or_equal_f64s, equal_f64s, select_f64s, reduce_sum_f64s,
    m64s: u64, mask_between_m64s, mask_load_ptr_f64s, mask_store_ptr_f64s, dgemm);
