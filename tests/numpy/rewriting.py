"""NumPy's own test modules, and SciPy's, rewritten as they are imported: every call in them is shown to `watch` first.

Functions: the names that a test module imports are bound to stand-ins. Methods, operators, attributes and indices: the
syntax tree is changed to calls of the helpers below. Everybody else keeps NumPy itself.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.machinery
import operator
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

NUMPY = ("numpy", "numpy.linalg", "numpy.fft", "numpy.lib.stride_tricks")
SCIPY = (
    "scipy.special", "scipy.linalg", "scipy.interpolate", "scipy.signal", "scipy.spatial", "scipy.spatial.distance",
    "scipy.integrate", "scipy.ndimage", "scipy.fft", "scipy.fftpack", "scipy.sparse", "scipy.sparse.linalg",
    "scipy.stats", "scipy.optimize",
)  # fmt: skip
FAMILIES = (*NUMPY, *SCIPY)


def _words(text: str) -> set[str]:
    return set(text.split())


# Functions that read, write, print, or make no arrays.
UNSEEN = _words(
    """
    save savez savez_compressed savetxt load loadtxt genfromtxt fromfile fromregex memmap seterr errstate setbufsize
    getbufsize geterr seterrcall geterrcall test show_config show_runtime get_printoptions set_printoptions
    printoptions array2string array_repr array_str info nditer nested_iters frompyfunc vectorize from_dlpack
    frombuffer fromiter busday_count busday_offset is_busday datetime_as_string datetime_data get_include iterable
    isscalar typename mintypecode issubdtype isdtype promote_types broadcast_shapes ndenumerate ndindex
    format_float_positional format_float_scientific base_repr binary_repr asmatrix bmat require as_strided
    """
)
PLAIN_MODULES = re.compile(
    r"numpy\.(testing|random|ma|polynomial|typing|_typing|f2py|core|strings|char)|numpy\._core\.(_multiarray_tests|"
    r"_umath_tests|_rational_tests|_operand_flag_tests|_struct_ufunc_tests|_simd|overrides|arrayprint|strings)"
)
UFUNC_METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")
METHODS = {n for n in dir(np.ndarray) if not n.startswith("_") and callable(getattr(np.ndarray, n))}
METHODS -= _words("tofile dump dumps byteswap getfield setfield tobytes to_device setflags")
ATTRIBUTES = {"T", "mT", "real", "imag"}
_BINARY = "add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift eq ne lt le gt ge"
_INPLACE = "iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift"
BINARY = {name: getattr(operator, name) for name in _words(_BINARY)}
INPLACE = {name: getattr(operator, name) for name in _words(_INPLACE)}
UNARY = {"neg": operator.neg, "pos": operator.pos, "invert": operator.invert}
NODES = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv", "Mod": "mod", "Pow": "pow",
    "MatMult": "matmul", "BitAnd": "and_", "BitOr": "or_", "BitXor": "xor", "LShift": "lshift", "RShift": "rshift",
    "Eq": "eq", "NotEq": "ne", "Lt": "lt", "LtE": "le", "Gt": "gt", "GtE": "ge", "USub": "neg", "UAdd": "pos",
    "Invert": "invert",
}  # fmt: skip

Watch = Callable[[str, str, tuple[Any, ...], dict[str, Any]], None]
watch: Watch = lambda kind, name, args, kwargs: None  # noqa: E731  (the plugin puts the comparison here)


def perform(kind: str, name: str, args: Any, kwargs: Any) -> Any:
    """Do what an event says, with functions found by their public names, as user code finds them."""
    match kind:
        case "func":
            return _found(name)(*args, **kwargs)
        case "method":
            return getattr(args[0], name)(*args[1:], **kwargs)
        case "attr":
            return getattr(args[0], name)
        case "op":
            return (BINARY.get(name) or INPLACE.get(name) or UNARY[name])(*args)
        case "get":
            return args[0][args[1]]
        case "set":
            args[0][args[1]] = args[2]
        case "iset":
            args[0][args[1]] = INPLACE[name](args[0][args[1]], args[2])
    return None


def _found(path: str) -> Any:
    module = max((m for m in FAMILIES if path.startswith(m + ".")), key=len)
    value: Any = sys.modules[module]
    for part in path.removeprefix(module + ".").split("."):
        value = getattr(value, part)
    return value


# -- functions, seen by a test module ---------------------------------------------------------------------------
class Seen:
    """A function of NumPy or SciPy in a test module."""

    def __init__(self, path: str, function: Any) -> None:
        self.__dict__.update(_path=path, _function=function)

    @property
    def __class__(self) -> type:
        return type(self._function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = tuple(map(_unseen, args))
        kwargs = {n: _unseen(v) for n, v in kwargs.items()}
        watch("func", self._path, args, kwargs)
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_function"], name)
        is_method = isinstance(self.__dict__["_function"], np.ufunc) and name in UFUNC_METHODS
        return Seen(f"{self._path}.{name}", value) if is_method else value

    def __repr__(self) -> str:
        return repr(self._function)

    def __eq__(self, other: object) -> bool:
        return self._function == _unseen(other)

    def __hash__(self) -> int:
        return hash(self._function)


class SeenModule(types.ModuleType):
    """A module of NumPy or SciPy in a test module."""

    def __init__(self, module: types.ModuleType) -> None:
        object.__setattr__(self, "_module", module)

    def __getattribute__(self, name: str) -> Any:
        module = object.__getattribute__(self, "_module")
        return types.ModuleType if name == "__class__" else seen(getattr(module, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_module"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "_module"), name)

    def __dir__(self) -> list[str]:
        return dir(object.__getattribute__(self, "_module"))


FUNCTIONS: dict[int, Seen] = {}
MODULES: dict[str, SeenModule] = {}


def seen(value: Any) -> Any:
    """Return what stands for a module or function of NumPy in a test module; anything else as it is."""
    if isinstance(value, types.ModuleType) and value.__name__.startswith(("numpy", *FAMILIES)):
        if PLAIN_MODULES.match(value.__name__) or ".tests" in value.__name__:
            return value
        return MODULES.setdefault(value.__name__, SeenModule(value))
    return FUNCTIONS.get(id(value), value)


def _unseen(value: Any) -> Any:
    if type(value) is Seen:
        return value.__dict__["_function"]
    if type(value) is SeenModule:
        return object.__getattribute__(value, "_module")
    if type(value) in (list, tuple) and any(type(v) is Seen for v in value):
        return type(value)(map(_unseen, value))
    return value


# -- everything else: helpers that the rewritten modules call -----------------------------------------------------
def _is_number_array(value: Any) -> bool:
    numbers = type(value) is np.ndarray or scipy.sparse.issparse(value)
    return numbers and value.dtype.kind in "fiu" and value.dtype.itemsize == 8


def _method(obj: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    if type(obj) is np.ndarray or _is_number_array(obj):
        args = tuple(map(_unseen, args))
        kwargs = {n: _unseen(v) for n, v in kwargs.items()}
        watch("method", name, (obj, *args), kwargs)
    return getattr(obj, name)(*args, **kwargs)


def _helper(kind: str) -> Callable[..., Any]:
    def call(name: str, *args: Any) -> Any:
        if any(map(_is_number_array, args[:2] if kind == "op" else args[:1])):
            watch(kind, name, args, {})
        return perform(kind, name, args, {})

    return call


def _assign(value: Any, obj: Any, key: Any) -> None:
    _helper("set")("setitem", obj, key, value)


HELPERS = {f"__{kind}__seen__": _helper(kind) for kind in ("op", "attr", "get", "iset")}
HELPERS |= {"__method__seen__": _method, "__set__seen__": _assign, "__name__seen__": seen}


def _call(kind: str, *args: Any, keywords: Any = ()) -> ast.Call:
    return ast.Call(ast.Name(f"__{kind}__seen__", ast.Load()), list(args), list(keywords))


class Rewriter(ast.NodeTransformer):
    """Changes what a test module does to calls of the helpers."""

    def _import(self, node: Any) -> Any:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return node
        names = [a.asname or a.name.split(".")[0] for a in node.names if a.name != "*"]
        bound = [ast.Assign([ast.Name(n, ast.Store())], _call("name", ast.Name(n, ast.Load()))) for n in names]
        return [node, *bound]

    visit_Import = visit_ImportFrom = _import  # noqa: N815

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.value = None if node.value is None else self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in METHODS:
            owner = self.visit(func.value)
            args, keywords = [self.visit(a) for a in node.args], [self.visit(k) for k in node.keywords]
            return _call("method", owner, ast.Constant(func.attr), *args, keywords=keywords)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and node.attr in ATTRIBUTES:
            return _call("attr", ast.Constant(node.attr), node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        return _call("op", ast.Constant(NODES[type(node.op).__name__]), node.left, node.right)

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        name = NODES.get(type(node.ops[0]).__name__)
        return (
            node if len(node.ops) > 1 or name is None else _call("op", ast.Constant(name), node.left, *node.comparators)
        )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        name = NODES.get(type(node.op).__name__)
        constant = isinstance(node.operand, ast.Constant)
        return node if name is None or constant else _call("op", ast.Constant(name), node.operand)

    def _key(self, key: ast.expr) -> ast.expr:
        if isinstance(key, ast.Slice):
            none = ast.Constant(None)
            return ast.Call(ast.Name("slice", ast.Load()), [key.lower or none, key.upper or none, key.step or none], [])
        return ast.Tuple([self._key(k) for k in key.elts], ast.Load()) if isinstance(key, ast.Tuple) else key

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            return _call("get", ast.Constant("getitem"), node.value, self._key(node.slice))
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Subscript):
            return ast.Expr(_call("set", node.value, target.value, self._key(target.slice)))
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        name = ast.Constant("i" + NODES[type(node.op).__name__].rstrip("_"))
        target = node.target
        if isinstance(target, ast.Name):
            return ast.Assign([target], _call("op", name, ast.Name(target.id, ast.Load()), node.value))
        if isinstance(target, ast.Subscript):
            return ast.Expr(_call("iset", name, target.value, self._key(target.slice), node.value))
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> Any:
        return node


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a test module, rewritten."""

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        tree = Rewriter().visit(ast.parse(self.get_data(path), path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


class Finder:
    """Finds NumPy's and SciPy's test modules, for `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if not name.rpartition(".")[2].startswith("test_"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or not re.search(r"[\\/](?:numpy|scipy)[\\/].*tests[\\/]test_\w+\.py$", spec.origin or ""):
            return None
        spec.loader = Loader(name, spec.origin)
        return spec


def install(comparison: Watch) -> None:
    """Let test modules that are imported from now on show what they do to `comparison`."""
    global watch
    watch = comparison
    for family in FAMILIES:
        module = importlib.import_module(family)
        for name in dir(module):
            value = getattr(module, name, None)
            is_function = callable(value) and not isinstance(value, (type, types.ModuleType))
            if is_function and not name.startswith("_") and name not in UNSEEN and hasattr(value, "__name__"):
                FUNCTIONS.setdefault(id(value), Seen(f"{family}.{name}", value))
    vars(builtins).update(HELPERS)
    sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]
