//! How long do the shipped scenarios take: to load (read, check, compile) and to play? `cargo bench --bench scenarios`.

use criterion::{Criterion, criterion_group, criterion_main};
use mailtwin::engine::{Options, run};
use mailtwin::{analysis, report};
use std::hint::black_box;
use std::path::Path;

const SHIPPED: [&str; 4] =
    ["eop/fqdn-smart-host.ron", "eop/backup-site-mx.ron", "eop/all-smart-hosts-dark.ron", "smtp/09-five-dead-addresses.ron"];

fn shipped(criterion: &mut Criterion) {
    for name in SHIPPED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let loaded = mailtwin::load(&path).unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.problems));
        let mut group = criterion.benchmark_group(name);
        group.bench_function("load", |bencher| bencher.iter(|| mailtwin::load(black_box(&path)).is_ok()));
        group.bench_function("play", |bencher| bencher.iter(|| run(black_box(&loaded.model), &Options::default()).events));
        group.bench_function("play and write JSON", |bencher| {
            bencher.iter(|| {
                let played = run(black_box(&loaded.model), &Options::default());
                report::json::run_json(&analysis::build(&loaded.model, &played)).len()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, shipped);
criterion_main!(benches);
