//! CPU levels, and the only place that asks the CPU what it can do.

/// What a kernel is compiled for. Made by detection only, so that holding one
/// proves that the CPU has it.
#[derive(Clone, Copy, Debug)]
pub struct Level(pub(crate) fearless_simd::Level);

impl Level {
    /// The best this CPU can run.
    pub fn best() -> Self {
        Self(fearless_simd::Level::new())
    }

    /// Every level worth a row of its own that this CPU can run, slowest first,
    /// never empty. Tests run them all.
    pub fn available() -> Vec<Self> {
        let best = fearless_simd::Level::new();
        let mut levels = vec![Self(fearless_simd::Level::baseline())];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(best.as_avx2().map(|token| Self(fearless_simd::Level::Avx2(token))));
            levels.extend(best.as_avx512().map(|token| Self(fearless_simd::Level::Avx512(token))));
        }
        let _ = best;
        levels
    }

    /// `"portable"`, `"AVX2"`, `"AVX-512"` or `"NEON"`. Portable is what every
    /// CPU of the architecture has: SSE2 on `x86_64`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            fearless_simd::Level::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            fearless_simd::Level::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            fearless_simd::Level::Neon(_) => "NEON",
            _ => "portable",
        }
    }
}

/// Runs `op` compiled for `level`; `op` is one call of an `#[inline(always)]` function.
macro_rules! at_level {
    ($level:expr, $simd:ident => $op:expr) => {
        fearless_simd::dispatch!($level.0, $simd => $op)
    };
}
pub(crate) use at_level;

/// Asks for the cache line at `values[at]`, which will be read soon, into the second level of
/// cache; past the end, for nothing.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "prefetching takes a pointer"))]
pub(crate) fn prefetch(values: &[f32], at: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let line = values.as_ptr().wrapping_add(at);
        // SAFETY: SSE is part of x86_64; a prefetch reads nothing that a program can see and
        // never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Makes this thread treat denormal numbers as zero, in operands and results.
///
/// Trained networks produce them, and they slow a convolution 20 to 50 times.
/// Does nothing on architectures other than `x86_64` and `aarch64`.
pub fn flush_denormals() {
    flush::set();
}

#[expect(unsafe_code, reason = "the floating-point control register has no safe interface")]
mod flush {
    /// Sets "flush to zero" (bit 15) and "denormals are zero" (bit 6) of MXCSR.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn set() {
        let mut mxcsr = 0u32;
        // SAFETY: SSE is part of x86_64; the instruction writes the four bytes of `mxcsr`.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack)) };
        mxcsr |= (1 << 15) | (1 << 6);
        // SAFETY: only the two denormal bits differ from a state that was valid before; masks
        // and rounding, which compiled code relies on, stay as they are.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
    }

    /// Sets "flush to zero" (bit 24) of FPCR.
    #[cfg(target_arch = "aarch64")]
    pub(super) fn set() {
        let mut fpcr: u64;
        // SAFETY: reading FPCR has no effect but on the register.
        unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack)) };
        fpcr |= 1 << 24;
        // SAFETY: only the denormal bit differs from a state that was valid before.
        unsafe { std::arch::asm!("msr fpcr, {}", in(reg) fpcr, options(nostack)) };
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn set() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denormals_become_zero_on_the_thread_that_asks() {
        let denormal = std::hint::black_box(1e-40f32);
        assert!(denormal * std::hint::black_box(2.0) > 0.0);
        std::thread::spawn(move || {
            flush_denormals();
            let x = std::hint::black_box(denormal) * std::hint::black_box(2.0f32);
            assert_eq!(std::hint::black_box(x).to_bits(), 0);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn levels_are_slowest_first_and_named_once() {
        let names: Vec<_> = Level::available().iter().map(|l| l.name()).collect();
        assert_eq!(names.last(), Some(&Level::best().name()));
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!(unique, names);
    }
}
