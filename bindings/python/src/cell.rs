//! Names of Python modules, looked up once.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyModule, PyTuple};

/// A module of the package, imported at its first use.
pub(crate) struct PythonModule {
    name: &'static str,
    module: PyOnceLock<Py<PyModule>>,
}

impl PythonModule {
    pub(crate) const fn named(name: &'static str) -> Self {
        Self {
            name,
            module: PyOnceLock::new(),
        }
    }

    /// `name` of the module.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let module = self
            .module
            .get_or_try_init(py, || py.import(self.name).map(Bound::unbind))?;
        module.bind(py).getattr(name)
    }

    /// Calls `name` of the module.
    pub(crate) fn call<'py, A>(
        &self,
        py: Python<'py>,
        name: &str,
        arguments: A,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
    {
        let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
        self.get(py, name)?.call1(arguments)
    }
}
