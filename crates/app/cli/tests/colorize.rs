//! `pentimento colorize`, `pentimento evaluate colorizer` and `pentimento train colorizer`.

mod support;

use pentimento::imaging::{Channels, Depth, Limits};
use support::{Place, Ran, picture};

/// `pentimento` with these words, split at spaces, and a network that colours.
fn run(place: &Place, words: &str) -> Ran {
    place.colorizer("net.safetensors");
    place.run(&words.split_whitespace().collect::<Vec<_>>())
}

fn colorize(place: &Place, words: &str) -> Ran {
    run(place, &format!("colorize --model net.safetensors {words}"))
}

#[test]
fn a_grey_picture_comes_back_in_rgb_at_its_own_size() {
    let place = Place::new();
    place.grey("in.png", [50, 70]);
    place.picture("alpha.png", &picture([40, 30], Channels::GreyAlpha));
    colorize(&place, "in.png -o out.png").ended(0, &["out.png: 70×50"]);
    let out = place.read("out.png");
    assert_eq!((out.size(), out.channels(), out.depth()), ([50, 70], Channels::Rgb, Depth::Eight));
    colorize(&place, "alpha.png -o out2.png --saturation 0.5 --temperature 1").ended(0, &[]);
    assert_eq!(place.read("out2.png").channels(), Channels::Rgba);
    colorize(&place, "in.png -o both.png --compare").ended(0, &["both.png: 140×50"]);
    assert_eq!(place.read("both.png").size(), [50, 140]);
}

#[test]
fn folders_go_on_where_they_were() {
    let place = Place::new();
    for name in ["in/a.png", "in/deep/b.png"] {
        place.grey(name, [20, 30]);
    }
    place.file("in/broken.png", b"no picture");
    let report = colorize(&place, "in -o out -r --json --quiet").ended(1, &["broken.png"]).json();
    assert_eq!((&report["done"], &report["failed"]), (&2.into(), &1.into()));
    assert_eq!(report["model"], "net");
    assert!(report.get("style").is_none());
    assert_eq!(place.files("out"), ["a.png", "deep/b.png"]);
    colorize(&place, "in/a.png in/deep -o out").ended(0, &[]);
}

#[test]
fn hints_are_places_in_one_picture() {
    let place = Place::new();
    place.grey("in.png", [64, 64]);
    place.grey("other.png", [64, 64]);
    place.file("list", b"// sky\n3,4,#0000ff\n");
    colorize(&place, "in.png -o plain.png").ended(0, &[]);
    colorize(&place, "in.png -o hinted.png --hints 30,30,#ff0000 list").ended(0, &[]);
    assert_ne!(place.read("plain.png").pixels(), place.read("hinted.png").pixels());
    colorize(&place, "in.png -o bad.png --hints 30,30,red").ended(2, &["x,y,#rrggbb"]);
    colorize(&place, "in.png -o bad.png --hints nowhere").ended(2, &["nowhere", "is no file"]);
    colorize(&place, "in.png -o bad.png --hints 64,0,#ff0000").ended(1, &["lies outside"]);
    colorize(&place, "in.png other.png -o out/ --hints 3,3,#ff0000").ended(2, &["one picture"]);
}

#[test]
fn what_cannot_be_coloured_is_refused_by_name() {
    let place = Place::new();
    place.grey("in.png", [20, 30]);
    let other = "colorize in.png -o out.png --model tiny.safetensors";
    run(&place, other).ended(4, &["transformer_net", "colorizer"]);
    run(&place, "colorize in.png -o out.png --model none").ended(4, &["no file \"none\""]);
    colorize(&place, "in.png -o out.png --saturation 9").ended(2, &["from 0 to 4"]);
    colorize(&place, "in.png -o out.png --temperature 0").ended(2, &["over 0"]);
    colorize(&place, "in.png -o out.png --max-memory 1M").ended(1, &["--max-memory"]);
    assert!(!place.path("out.png").exists());
}

#[test]
fn what_is_in_colour_stays_unless_asked_for() {
    let place = Place::new();
    colourful(&place, "in.png");
    colorize(&place, "in.png -o out.png").ended(1, &["in colour already", "--recolor"]);
    colorize(&place, "in.png -o out.png --recolor").ended(0, &[]);
}

/// Samples of formats that are made from bytes, not from a `Picture`: ink, palettes, bits, 16 bits.
#[test]
fn every_kind_of_file_is_coloured() {
    let place = Place::new();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../golden/imaging");
    for (name, channels, depth) in [
        ("cmyk.jpg", Channels::Rgb, Depth::Eight),
        ("palette.png", Channels::Rgb, Depth::Eight),
        ("palette_alpha.png", Channels::Rgba, Depth::Eight),
        ("bilevel.png", Channels::Rgb, Depth::Eight),
        ("deep.png", Channels::Rgb, Depth::Sixteen),
        ("deep_alpha.png", Channels::Rgba, Depth::Sixteen),
        ("deep_grey.tif", Channels::Rgb, Depth::Sixteen),
        ("animated.gif", Channels::Rgb, Depth::Eight),
    ] {
        let (from, to) = (format!("{samples}/{name}"), format!("{name}.out.png"));
        colorize(&place, &format!("{from} -o {to} --recolor")).ended(0, &[]);
        let out = place.read(&to);
        let want = pentimento::imaging::decode_file(from.as_ref(), &Limits::default()).unwrap();
        assert_eq!((out.size(), out.depth()), (want.size(), depth), "{name}");
        assert_eq!(out.channels().has_alpha(), channels.has_alpha(), "{name}");
    }
}

#[test]
fn the_smallest_and_the_longest_are_coloured_and_the_largest_within_its_memory() {
    let place = Place::new();
    for size in [[1, 1], [1, 1000], [1000, 1]] {
        place.grey("in.png", size);
        colorize(&place, "in.png -o out.png --overwrite").ended(0, &[]);
        assert_eq!(place.read("out.png").size(), size);
    }
    // A claim of 400 megapixels in a few bytes, and 100 that need more than is allowed.
    place.file(
        "bomb.png",
        &std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../golden/imaging/bomb.png"))
            .unwrap(),
    );
    colorize(&place, "bomb.png -o out2.png").ended(1, &["bomb.png"]);
    assert!(!place.path("out2.png").exists());
}

/// Half red, half blue, light and dark.
fn colourful(place: &Place, name: &str) {
    use pentimento::imaging::{Picture, Pixels};
    let values = (0..64 * 64).flat_map(|i| {
        let dark = (i % 64) as u8;
        if i < 2048 { [200 - dark, 80 - dark, 60] } else { [60, 90 - dark, 200 - dark] }
    });
    place.picture(name, &Picture::new([64, 64], Channels::Rgb, Pixels::U8(values.collect())));
}

#[test]
fn an_evaluation_has_two_baselines_and_the_gain_by_hints() {
    let place = Place::new();
    colourful(&place, "photos/a.png");
    place.grey("photos/grey.png", [40, 40]);
    let words = "evaluate colorizer --model net.safetensors --photos photos --size 64 --hints 2";
    let ran = run(&place, words).ended(0, &[]);
    for want in ["left grey", "all ab", "with 2 hints", "hints add", "1 photographs without"] {
        assert!(ran.out.contains(want), "{want}: {}", ran.out);
    }
    let report = run(&place, &format!("{words} --json")).ended(0, &[]).json();
    assert_eq!((&report["photos"], &report["version"]), (&1.into(), &1.into()));
    for scores in ["network_scores", "hinted", "grey", "mean_color"] {
        assert!(report[scores]["psnr"].as_f64().unwrap() > 0.0, "{scores}");
    }
    assert!(report["grey"]["lpips"].is_null());
    run(&place, "evaluate colorizer --model net.safetensors --photos nowhere").ended(3, &[]);
}

#[test]
fn what_is_trained_by_the_tutorials_recipes_colours() {
    let place = Place::new();
    for name in ["photos/a.png", "photos/b.png", "photos/c.png"] {
        colourful(&place, name);
    }
    place.grey("in.png", [40, 30]);
    let few = "--size 32 --steps 3 --preview-every 2 --json";
    for (recipe, photos, more) in
        [("alpha", "photos/a.png", ""), ("beta", "photos", "--keep-out 0.5 --batch 2")]
    {
        let words =
            format!("train colorizer --recipe {recipe} --photos {photos} -o {recipe}.safetensors");
        let report = run(&place, &format!("{words} {few} {more}")).ended(0, &["3 steps in"]).json();
        assert_eq!((&report["steps"], &report["recipe"]["name"]), (&3.into(), &recipe.into()));
        let folder = format!("{recipe}.safetensors.run");
        let files = place.files(&folder);
        for want in ["events.out.tfevents", "losses.csv", "preview-000002", "validation.csv"] {
            assert!(files.iter().any(|file| file.starts_with(want)), "no {want}: {files:?}");
        }
        let model = format!("colorize in.png --model {recipe}.safetensors -o {recipe}.png");
        run(&place, &model).ended(0, &[]);
        assert_eq!(place.read(&format!("{recipe}.png")).size(), [40, 30]);
    }
    let full = "train colorizer --recipe full --photos photos -o full.safetensors";
    run(&place, &format!("{full} {few}")).ended(2, &["classifier", "a file of weights"]);
}

#[test]
fn our_recipe_says_what_it_begins_with() {
    let place = Place::new();
    for name in ["photos/a.png", "photos/b.png", "photos/c.png"] {
        colourful(&place, name);
    }
    let words = "train colorizer --photos photos --keep-out 0.5 --size 32 --batch 1 --steps 1";
    let words = format!("{words} -o ours.safetensors");
    run(&place, &words).ended(0, &["begins with random weights: with --classifier"]);
    let again = words.replace("-o ours", "--start ours.safetensors -o more");
    assert!(!run(&place, &again).ended(0, &[]).err.contains("random weights"));
}
