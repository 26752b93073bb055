//! The words of the pages.

#[cfg(test)]
mod catalogues;
#[cfg(test)]
mod reading_age;
