//! Sealed values and the keys that open them.

use std::{
    fs::{self, Permissions},
    io::Cursor,
    os::unix::fs::PermissionsExt,
};

use futures_util::TryStreamExt;
use portway_store::{
    Store, Transaction,
    backup::{Replacement, backup},
    seal::{Found, KeyFileError, KeyRing, SealError, load_or_make, save},
};

use crate::stores::{self, key};

const NAME: &str = "default/token";

#[test]
fn what_is_sealed_opens_under_its_name_alone() {
    let ring = KeyRing::generate().unwrap();
    for secret in [&b""[..], b"s3cret", &[0; 10_000]] {
        let sealed = ring.seal(NAME, secret).unwrap();
        assert_eq!(&ring.open(NAME, &sealed).unwrap()[..], secret);
        for other in ["default/toke", "default/token2", "", "other/token"] {
            assert_eq!(ring.open(other, &sealed), Err(SealError::Refused), "{other}");
        }
    }
    let sealed = ring.seal(NAME, b"s3cret").unwrap();
    assert_ne!(sealed, ring.seal(NAME, b"s3cret").unwrap());
    assert!(!sealed.windows(6).any(|part| part == b"s3cret"));
}

#[test]
fn what_was_tampered_with_does_not_open() {
    let ring = KeyRing::generate().unwrap();
    let sealed = ring.seal(NAME, b"s3cret").unwrap();
    for at in 0..sealed.len() {
        let mut tampered = sealed.clone();
        tampered[at] ^= 1;
        let expected = match at {
            0 => SealError::NotSealed,
            1..9 => {
                let refused = ring.open(NAME, &tampered);
                assert!(matches!(refused, Err(SealError::MissingKey(_))), "{refused:?}");
                continue;
            }
            _ => SealError::Refused,
        };
        assert_eq!(ring.open(NAME, &tampered), Err(expected), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(ring.open(NAME, &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn keys_are_changed_while_old_values_are_about() {
    let old = KeyRing::generate().unwrap();
    let sealed = old.seal(NAME, b"s3cret").unwrap();
    assert_eq!(old.reseal(NAME, &sealed).unwrap(), None);

    let both = old.rotated().unwrap();
    assert_ne!(both.active(), old.active());
    assert_eq!(both.ids().collect::<Vec<_>>(), [both.active(), old.active()]);
    assert_eq!(&both.open(NAME, &sealed).unwrap()[..], b"s3cret");
    let resealed = both.reseal(NAME, &sealed).unwrap().unwrap();

    let new = both.active_alone();
    assert_eq!(&new.open(NAME, &resealed).unwrap()[..], b"s3cret");
    assert_eq!(new.open(NAME, &sealed), Err(SealError::MissingKey(old.active())));
    assert_eq!(old.open(NAME, &resealed), Err(SealError::MissingKey(new.active())));
    // Nothing is carried over to a new name by sealing anew.
    assert_eq!(both.reseal("other", &sealed), Err(SealError::Refused));
}

#[test]
fn values_without_their_key_are_named() {
    let (ours, theirs) = (KeyRing::generate().unwrap(), KeyRing::generate().unwrap());
    let values = [
        ("a", ours.seal("a", b"1").unwrap()),
        ("b", theirs.seal("b", b"2").unwrap()),
        ("c", theirs.seal("c", b"3").unwrap()),
        ("d", b"plain".to_vec()),
    ];
    let values = || values.iter().map(|(name, sealed)| (*name, &sealed[..]));
    assert_eq!(ours.check(values().take(1)), Ok(()));
    let lost = ours.check(values()).unwrap_err();
    assert_eq!(lost.names, ["b", "c", "d"]);
    assert_eq!(lost.missing.iter().copied().collect::<Vec<_>>(), [theirs.active()]);
    let text = lost.to_string();
    assert!(text.contains("b, c, d") && text.contains(&theirs.active().to_string()), "{text}");
}

#[test]
fn keys_are_written_in_base64_or_hexadecimal() {
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let hexadecimal = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";
    let one = KeyRing::parse(base64).unwrap();
    assert_eq!(KeyRing::parse(hexadecimal).unwrap().active(), one.active());
    let other = "ff".repeat(32);
    for text in [format!("{base64},{other}"), format!("# keys\n {base64} # old\n\n{other}\n")] {
        let ring = KeyRing::parse(&text).unwrap();
        assert_eq!((ring.active(), ring.ids().count()), (one.active(), 2), "{text}");
    }
    assert_eq!(KeyRing::parse(&format!("{base64} {hexadecimal}")).unwrap().ids().count(), 1);
    for text in ["", "# nothing\n", "AAEC", &base64[1..], &hexadecimal[2..], "é", &"g".repeat(64)]
    {
        let error = KeyRing::parse(text).unwrap_err().to_string();
        assert!(text.len() < 4 || !error.contains(text), "{error}");
    }
    let shown = format!("{one:?}");
    assert!(!shown.contains("AAEC") && !shown.contains("000102"), "{shown}");
}

#[test]
fn a_key_file_is_made_once_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.key");
    let (made, found) = load_or_make(&path).unwrap();
    assert_eq!(found, Found::Made);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (kept, found) = load_or_make(&path).unwrap();
    assert_eq!((kept.active(), found), (made.active(), Found::Kept { exposed: false }));

    let rotated = kept.rotated().unwrap();
    save(&path, &rotated).unwrap();
    let (saved, _) = load_or_make(&path).unwrap();
    assert!(saved.ids().eq(rotated.ids()));
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(load_or_make(&path).unwrap().1, Found::Kept { exposed: true });
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_key_file_that_holds_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.key");
    fs::write(&path, "hunter2hunter2").unwrap();
    let refused = load_or_make(&path);
    assert!(matches!(&refused, Err(KeyFileError::Invalid { .. })), "{refused:?}");
    let shown = format!("{refused:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "hunter2hunter2");
    let nowhere = directory.path().join("missing/secrets.key");
    assert!(matches!(load_or_make(&nowhere), Err(KeyFileError::File { .. })));
}

#[tokio::test]
async fn a_backup_holds_sealed_values_and_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.key");
    let (ring, _) = load_or_make(&path).unwrap();
    let from = stores::open(directory.path());
    let sealed = ring.seal(NAME, b"s3cret").unwrap();
    from.commit(Transaction::new().put(&key("/secret"), sealed)).await.unwrap();
    let pieces: Vec<_> = backup(&from).await.unwrap().try_collect().await.unwrap();
    let bytes = pieces.concat();
    let text = fs::read_to_string(&path).unwrap();
    let in_base64 = text.lines().last().unwrap();
    assert!(!bytes.windows(in_base64.len()).any(|part| part == in_base64.as_bytes()));
    assert!(!bytes.windows(6).any(|part| part == b"s3cret"));

    let to = stores::memory();
    to.store.replace(Replacement::new(Cursor::new(bytes))).await.unwrap();
    let value = to.store.get(&key("/secret")).await.unwrap().unwrap().value;
    assert_eq!(&ring.open(NAME, &value).unwrap()[..], b"s3cret");
    let lost = KeyRing::generate().unwrap().check([(NAME, &value[..])]).unwrap_err();
    assert_eq!(lost.names, [NAME]);
}
