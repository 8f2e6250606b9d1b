//! What numbers of time must be read with: the processor, and how busy it was.

use std::{fs, thread};

/// The processor's name and number of cores, and the load, as far as the system tells.
pub fn conditions() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    format!("{}, {cores} core(s), load {}", name.map_or("unknown processor", |(_, name)| name), load())
}

/// How many processes wanted to run, in the last one, five and fifteen minutes.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
