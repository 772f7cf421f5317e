//! Resources of one kind, in their order. A copy of a list shares what is in it.

use std::{fmt, iter, ops::Index, slice, sync::Arc};

use hashbrown::HashMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Resources of one kind. There may be ten thousand, in several lists at a time, and one of them
/// changes: each is there once. A copy costs nothing until it is changed.
#[derive(PartialEq, Eq, Hash)]
pub struct List<T>(Arc<Vec<Arc<T>>>);

/// The resources of a list.
pub type Iter<'a, T> = iter::Map<slice::Iter<'a, Arc<T>>, fn(&Arc<T>) -> &T>;

fn inner<T>(one: &Arc<T>) -> &T {
    one
}

impl<T> List<T> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_, T> {
        self.0.iter().map(inner as fn(&Arc<T>) -> &T)
    }

    /// All of them, as they are shared.
    #[must_use]
    pub fn shared(&self) -> &[Arc<T>] {
        &self.0
    }

    /// The same, to put others in their places.
    pub(crate) fn shared_mut(&mut self) -> &mut [Arc<T>] {
        Arc::make_mut(&mut self.0).as_mut_slice()
    }

    /// Whether the very same resources are in another list.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |(one, other)| Arc::ptr_eq(one, other);
        Arc::ptr_eq(&self.0, &other.0)
            || (self.len() == other.len() && self.0.iter().zip(&*other.0).all(same))
    }

    /// Finds the places of resources, which are asked for mostly in their order.
    #[must_use]
    pub fn walk(&self) -> Walk<'_, T> {
        Walk { list: &self.0, next: 0, misses: 0, all: None }
    }

    /// The one at this place.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at).map(|one| &**one)
    }

    /// Adds one behind the others.
    pub fn push(&mut self, one: impl Into<Arc<T>>) {
        Arc::make_mut(&mut self.0).push(one.into());
    }

    /// Takes those of another list over, behind the others.
    pub fn append(&mut self, other: &mut Self) {
        let mut other = std::mem::take(other);
        if self.is_empty() {
            std::mem::swap(self, &mut other);
        } else if !other.is_empty() {
            Arc::make_mut(&mut self.0).extend(other);
        }
    }

    /// Drops those that are not wanted.
    pub fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        if !self.iter().all(&wanted) {
            Arc::make_mut(&mut self.0).retain(|one| wanted(one));
        }
    }
}

impl<T: Clone> List<T> {
    /// Changes those that `is` names. Whoever shares them does not see it.
    pub fn change(&mut self, is: impl Fn(&T) -> bool, mut change: impl FnMut(&mut T)) {
        if self.iter().any(&is) {
            let changed = self.shared_mut().iter_mut().filter(|one| is(one));
            changed.for_each(|one| change(Arc::make_mut(one)));
        }
    }
}

/// How far ahead of where it is expected a resource is looked for.
const AHEAD: usize = 8;

/// Finds the places of resources in a list. Who asks for most of them in their order pays for no
/// table.
#[derive(Debug)]
pub struct Walk<'a, T> {
    list: &'a [Arc<T>],
    next: usize,
    misses: usize,
    all: Option<HashMap<*const T, usize>>,
}

impl<T> Walk<'_, T> {
    /// Where the next one is expected.
    #[must_use]
    pub fn expected(&self) -> usize {
        self.next
    }

    /// The place of a resource. `None` when it is not there, or so few were not found where they
    /// are expected that looking further is not worth the while.
    pub fn find(&mut self, one: &Arc<T>) -> Option<usize> {
        let is = |other: &Arc<T>| Arc::ptr_eq(one, other);
        let mut ahead = self.list.get(self.next..).unwrap_or_default().iter().take(AHEAD);
        if let Some(found) = ahead.position(is) {
            self.next += found + 1;
            return Some(self.next - 1);
        }
        self.misses += 1;
        if self.misses <= AHEAD {
            return None;
        }
        let list = self.list.iter().enumerate();
        let all = || list.map(|(at, one)| (Arc::as_ptr(one), at)).collect();
        let found = *self.all.get_or_insert_with(all).get(&Arc::as_ptr(one))?;
        self.next = found + 1;
        Some(found)
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Index<usize> for List<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.0[at]
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(list: Vec<T>) -> Self {
        list.into_iter().collect()
    }
}

impl<T, const N: usize> From<[T; N]> for List<T> {
    fn from(list: [T; N]) -> Self {
        list.into_iter().collect()
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Self {
        list.into_iter().map(Arc::new).collect()
    }
}

impl<T> FromIterator<Arc<T>> for List<T> {
    fn from_iter<I: IntoIterator<Item = Arc<T>>>(list: I) -> Self {
        Self(Arc::new(list.into_iter().collect()))
    }
}

impl<T> IntoIterator for List<T> {
    type Item = Arc<T>;
    type IntoIter = std::vec::IntoIter<Arc<T>>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|list: Vec<T>| list.into())
    }
}

/// That of a list without anything shared.
impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        Vec::<T>::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}
