//! Values by their types: those of the program, and those of one request.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
};

use super::Halt;

type Value = Box<dyn Any + Send + Sync>;

/// What the program shares with all its hooks, maps and handlers: one value of each type.
#[derive(Default)]
pub struct State(Vec<(TypeId, Value)>);

/// What the code of one request leaves for the code after it: one value of each type. Behind it
/// stands what the program shares.
#[derive(Default)]
pub struct Scope<'a> {
    own: Vec<(TypeId, Value)>,
    shared: Option<&'a State>,
}

/// A value while a function has it.
#[derive(Debug)]
pub enum Loan<'a, T> {
    /// The request's own.
    Own(Box<T>),
    /// The program's.
    Shared(&'a T),
}

impl State {
    /// Adds a value. `false` when there was one of its type, whose place it takes.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> bool {
        let id = TypeId::of::<T>();
        match self.0.binary_search_by_key(&id, |(other, _)| *other) {
            Ok(at) => {
                self.0[at].1 = Box::new(value);
                false
            }
            Err(at) => {
                self.0.insert(at, (id, Box::new(value)));
                true
            }
        }
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let at = self.0.binary_search_by_key(&TypeId::of::<T>(), |(id, _)| *id).ok()?;
        self.0[at].1.downcast_ref()
    }
}

impl<'a> Scope<'a> {
    pub(super) fn of(shared: &'a State) -> Self {
        Self { own: Vec::new(), shared: Some(shared) }
    }

    /// The value of this type: the request's own, else the program's. One that is an argument of
    /// the same function is not here meanwhile.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        match self.place::<T>() {
            Some(at) => self.own[at].1.downcast_ref(),
            None => self.shared(),
        }
    }

    /// The request's own value of this type, to change.
    pub fn get_mut<T: Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        let at = self.place::<T>()?;
        self.own[at].1.downcast_mut()
    }

    /// Leaves a value, and gives back the one of its type that was there.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let earlier = self.take();
        self.own.push((TypeId::of::<T>(), Box::new(value)));
        earlier
    }

    /// Takes the request's own value of this type out.
    pub fn take<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        self.take_box().map(|value| *value)
    }

    pub(super) fn shared<T: 'static>(&self) -> Option<&'a T> {
        self.shared?.get()
    }

    /// Gives a value to a function that wants to read it.
    pub(super) fn lend<T: Send + Sync + 'static>(&mut self) -> Result<Loan<'a, T>, Halt> {
        match self.take_box() {
            Some(own) => Ok(Loan::Own(own)),
            None => self.shared().map(Loan::Shared).ok_or_else(missing::<T>),
        }
    }

    /// The same for one that wants to change it.
    pub(super) fn lend_mut<T: Send + Sync + 'static>(&mut self) -> Result<Loan<'a, T>, Halt> {
        self.take_box().map(Loan::Own).ok_or_else(missing::<T>)
    }

    pub(super) fn give_back<T: Send + Sync + 'static>(&mut self, loan: Loan<'a, T>) {
        // The function may have left another one, which is newer.
        if let (Loan::Own(value), None) = (loan, self.place::<T>()) {
            self.own.push((TypeId::of::<T>(), value));
        }
    }

    fn take_box<T: Send + Sync + 'static>(&mut self) -> Option<Box<T>> {
        let at = self.place::<T>()?;
        self.own.swap_remove(at).1.downcast().ok()
    }

    fn place<T: 'static>(&self) -> Option<usize> {
        self.own.iter().position(|(id, _)| *id == TypeId::of::<T>())
    }
}

impl<T> Loan<'_, T> {
    /// To read.
    #[must_use]
    pub fn get(&self) -> &T {
        match self {
            Self::Own(value) => value,
            Self::Shared(value) => value,
        }
    }

    /// To change. Only what is the request's own was lent for that.
    ///
    /// # Errors
    /// It is the program's.
    pub fn get_mut(&mut self) -> Result<&mut T, Halt> {
        match self {
            Self::Own(value) => Ok(value),
            Self::Shared(_) => Err(missing::<T>()),
        }
    }
}

/// Nobody has left a value of a type that a function asks for: the program's fault.
pub(super) fn missing<T>() -> Halt {
    let name = type_name::<T>();
    Halt::fault(
        "missing_from_scope",
        format!("there is no {name}: give it to the builder, or leave it in an earlier hook"),
    )
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("values", &self.0.len()).finish()
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("values", &self.own.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_own_stands_before_the_programs() {
        let mut state = State::default();
        assert!(state.insert(1_u8));
        assert!(!state.insert(2_u8));
        state.insert("shared");
        let mut scope = Scope::of(&state);
        assert_eq!(scope.get::<u8>(), Some(&2));
        assert_eq!(scope.get_mut::<u8>(), None);
        assert_eq!(scope.insert(3_u8), None);
        assert_eq!(scope.get::<u8>(), Some(&3));
        assert_eq!(scope.take::<u8>(), Some(3));
        assert_eq!(scope.get::<u8>(), Some(&2));
        assert_eq!(scope.take::<u8>(), None);
    }

    #[test]
    fn what_is_lent_comes_back_unless_a_newer_one_was_left() {
        let state = State::default();
        let mut scope = Scope::of(&state);
        scope.insert(1_u8);
        let mut loan = scope.lend_mut::<u8>().unwrap();
        assert!(scope.lend::<u8>().is_err());
        *loan.get_mut().unwrap() = 2;
        scope.give_back(loan);
        assert_eq!(scope.get::<u8>(), Some(&2));
        let loan = scope.lend::<u8>().unwrap();
        scope.insert(7_u8);
        scope.give_back(loan);
        assert_eq!(scope.get::<u8>(), Some(&7));
    }
}
