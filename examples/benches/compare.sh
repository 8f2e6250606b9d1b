#!/usr/bin/env bash
# Steps of this bench and of other frameworks', in turns: time and ratio for each row.
#
#     examples/benches/compare.sh PEERS_DIR [ROW…]
#
# PEERS_DIR holds the other frameworks' runners, `py/jax_bench.py` and `py/torch_bench.py`, which take a row as argument and print
# lines of JSON. Their interpreters and builds are found through the environment; what is not there is left out:
#
#     JAX_PYTHON, TORCH_PYTHON   Pythons with JAX, Flax and Optax, and with PyTorch
#     RUST_PEERS                 a folder with burn_bench, candle_bench and dfdx_bench
#     BENCH_THREADS              2 if not set; for one thread prefix all with `taskset -c 1`, too, as JAX obeys nothing else
#     BENCH_SECONDS, BENCH_PASSES
set -euo pipefail
peers=$(cd "${1:?the folder of the runners}" && pwd)
shift

export BENCH_THREADS="${BENCH_THREADS:-2}" BENCH_SECONDS="${BENCH_SECONDS:-1}" BENCH_PASSES="${BENCH_PASSES:-3}"
for runtime in OMP MKL RAYON MATMUL; do
    export "${runtime}_NUM_THREADS=$BENCH_THREADS"
done
export JAX_PLATFORMS=cpu

arguments=()
peer() { arguments+=(--peer "$1=$2"); }
if [ -n "${JAX_PYTHON:-}" ]; then
    peer jax "$JAX_PYTHON $peers/py/jax_bench.py"
fi
if [ -n "${TORCH_PYTHON:-}" ]; then
    peer torch-eager "$TORCH_PYTHON $peers/py/torch_bench.py"
    peer torch-compile "env BENCH_COMPILE=1 $TORCH_PYTHON $peers/py/torch_bench.py"
fi
if [ -n "${RUST_PEERS:-}" ]; then
    peer burn-flex "env BENCH_BACKEND=flex $RUST_PEERS/burn_bench"
    peer candle "$RUST_PEERS/candle_bench"
    peer dfdx "$RUST_PEERS/dfdx_bench"
fi

cd "$(dirname "$0")/../.."
cargo bench --package flaxen-examples --bench step -- "${arguments[@]}" "$@"
