use std::fs;

use crate::bench::Bench;
use crate::image::image;

/// What this process ever had in memory at once, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn registry_a_large_layer_is_never_in_memory() {
    const LAYER: usize = 48_000_000;
    let Some(bench) = Bench::start().await else { return };
    let layers = [vec![7; LAYER]];
    let image = image(&bench.source, "leo", "amd64", &layers);
    drop(layers);
    // The peak up to here is the layer that was just made; Linux takes a 5 for the start of a new one.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    bench.copy(&image.digest).await.unwrap();
    let grown = peak() - before;
    assert!(grown < (LAYER / 4) as u64, "{grown} bytes more");
}
