//! Choices from a set: `jax.random.choice`.

use super::exponential::Gumbel;
use super::key::Key;
use super::uniform::Uniform;
use super::xla_math::log;
use crate::error::{Error, Result};

impl Key {
    /// Fills a slice with choices from `0..n`, each as likely: `jax.random.choice(key, n, shape)`.
    ///
    /// # Errors
    /// If there is nothing to choose from.
    pub fn fill_choice(self, n: usize, out: &mut [u32]) -> Result<()> {
        check(n, out.len(), true)?;
        self.fill_randint(0, n as i64, out);
        Ok(())
    }

    /// Fills a slice with different choices from `0..n`: `jax.random.choice(key, n, shape, replace=False)`.
    ///
    /// # Errors
    /// If more are to be chosen than there are.
    pub fn fill_choice_without_replacement(self, n: usize, out: &mut [u32]) -> Result<()> {
        check(n, out.len(), false)?;
        out.iter_mut().zip(self.permutation(n)).for_each(|(place, i)| *place = i as u32);
        Ok(())
    }

    /// Fills a slice with choices from `0..p.len()` in proportion to `p`:
    /// `jax.random.choice(key, n, shape, p=p)`.
    ///
    /// # Errors
    /// If there is nothing to choose from.
    pub fn fill_choice_weighted(self, p: &[f32], out: &mut [u32]) -> Result<()> {
        check(p.len(), out.len(), true)?;
        let cumulative: Vec<f32> = p
            .iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        let total = cumulative.last().copied().unwrap_or_default();
        let mut uniforms = vec![0.0; out.len()];
        self.fill(&Uniform::UNIT, &mut uniforms);
        for (place, uniform) in out.iter_mut().zip(uniforms) {
            let threshold = total * (1.0 - uniform);
            *place = cumulative.partition_point(|&sum| sum < threshold) as u32;
        }
        Ok(())
    }

    /// Fills a slice with different choices from `0..p.len()`, drawn one after the other in proportion to
    /// `p`: `jax.random.choice(key, n, shape, replace=False, p=p)`.
    ///
    /// # Errors
    /// If more are to be chosen than there are.
    pub fn fill_choice_weighted_without_replacement(self, p: &[f32], out: &mut [u32]) -> Result<()> {
        check(p.len(), out.len(), false)?;
        let mut perturbed = vec![0.0; p.len()];
        self.fill(&Gumbel, &mut perturbed);
        perturbed.iter_mut().zip(p).for_each(|(noise, &weight)| *noise += log(weight));
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&i, &j| perturbed[j].total_cmp(&perturbed[i]));
        out.iter_mut().zip(order).for_each(|(place, i)| *place = i as u32);
        Ok(())
    }
}

/// Whether so many can be chosen.
fn check(n: usize, chosen: usize, replace: bool) -> Result<()> {
    let largest = u32::MAX as usize;
    let fits = n <= largest && if replace { n > 0 || chosen == 0 } else { chosen <= n };
    let expected = match replace {
        true => format!("at least one, at most {largest}"),
        false => format!("at least {chosen}, as many as are to be chosen, at most {largest}"),
    };
    let mismatch = || Error::Mismatch {
        what: "number of elements to choose from".into(),
        expected,
        found: n.to_string(),
    };
    if fits { Ok(()) } else { Err(mismatch()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_chosen_is_an_error() {
        assert!(Key::new(0).fill_choice(0, &mut [0]).is_err());
        assert!(Key::new(0).fill_choice_weighted(&[], &mut [0]).is_err());
        let error = Key::new(0).fill_choice_without_replacement(2, &mut [0; 3]).unwrap_err();
        assert!(error.to_string().contains("at least 3"), "{error}");
        assert!(Key::new(0).fill_choice_weighted_without_replacement(&[1.0], &mut [0; 2]).is_err());
    }

    #[test]
    fn impossible_elements_are_not_chosen() {
        let mut out = [9; 200];
        Key::new(1).fill_choice_weighted(&[0.0, 0.5, 0.0, 0.5], &mut out).unwrap();
        assert!(out.iter().all(|i| [1, 3].contains(i)));
    }
}
