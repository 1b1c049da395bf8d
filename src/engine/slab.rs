//! Rows that come and go, each with a number while it is there.

/// Rows with a free list.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    rows: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Inlined, so that a row is written where it stays.
    #[inline(always)]
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.rows[at as usize] = row;
            return at;
        }
        self.rows.push(row);
        (self.rows.len() - 1) as u32
    }

    pub(crate) fn remove(&mut self, at: u32) {
        debug_assert!(self.free.len() < self.rows.len(), "a row is freed once");
        self.free.push(at);
    }

    /// The numbers of rows that are as wanted; rows that are free must not be.
    pub(crate) fn rows_where(&self, wanted: impl Fn(&T) -> bool) -> Vec<u32> {
        self.rows.iter().enumerate().filter(|(_, row)| wanted(row)).map(|(at, _)| at as u32).collect()
    }

    pub(crate) fn live(&self) -> usize {
        self.rows.len() - self.free.len()
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, at: u32) -> &T {
        &self.rows[at as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.rows[at as usize]
    }
}
