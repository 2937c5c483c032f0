//! Real photographs, where the folder that `PENTIMENTO_MATERIAL` names has them: how fast
//! they are read.

use std::path::Path;
use std::time::Instant;

use train::classifier::{Examiner, open_classes};
use train::data::{Folder, LoadOptions, Loader, Reading};
use weights::{NetworkCard, Weights};

#[test]
fn photographs_are_read_faster_than_networks_are_trained() {
    let Some(material) = testing::material() else {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let folder = Folder::open(&material.join("photos")).unwrap();
    // A stretch of the folder, so that the second time comes from the cache.
    let folder = folder.limited(400);
    for (what, cache) in [
        ("decoded", None),
        ("decoded, written to the cache", Some(cache.path().to_owned())),
        ("from the cache", Some(cache.path().to_owned())),
    ] {
        let reading = Reading { cache, threads: 1, ..Reading::default() };
        let options = LoadOptions { reading, ..LoadOptions::default() };
        let start = Instant::now();
        let mut loader = Loader::training(folder.clone(), options, 0).unwrap();
        let batches = 100;
        for _ in 0..batches {
            loader.next().unwrap().unwrap();
        }
        let each = start.elapsed() / batches;
        eprintln!("{what}: a batch of 4 at 256 in {each:.1?}, on 1 thread; {:?}", loader.times());
        assert_eq!(loader.bad(), [], "{what}");
        // Of a step of 0.9 s input may take 5 %.
        assert!(each.as_secs_f64() < 0.05 * 0.9, "{what}: {each:?} a batch");
    }
}

/// What the card of the network that ships promises, on the pictures that it never saw.
#[test]
#[ignore = "needs the cats and dogs of PENTIMENTO_MATERIAL"]
fn the_network_that_ships_tells_cats_from_dogs() {
    let Some(material) = testing::material() else {
        eprintln!("skipped: PENTIMENTO_MATERIAL is not set");
        return;
    };
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../zoo/cats-and-dogs");
    let limits = weights::Limits::default();
    let read = weights::read(&zoo.join("cats-and-dogs.safetensors"), &limits).unwrap();
    let card = NetworkCard::from_metadata(&read.metadata).unwrap();
    let net = nets::by_name(&card.network, &card.config.to_string()).unwrap();
    let weights = Weights::bind(&net.graph, read.tensors).unwrap();
    let [size, _] = card.size.unwrap();
    let folder = open_classes(&material.join("cats-dogs/test")).unwrap();
    assert_eq!(folder.classes(), card.classes);
    let examiner = Examiner::new(folder, (size, 20), Reading::default());
    let (seen, bad) = examiner.examine(&net, &weights).unwrap();
    eprintln!("{seen:?}, {bad:?}");
    assert!(seen.accuracy >= 0.88 && seen.confusion.total() == 1000, "{seen:?}");
}
