/**
 * The names that a pickle may ask for. Everything else is refused by name.
 *
 * Nothing is ever called: `map`, `list` and `bytes` are built here as plain data, `object` keeps name and arguments.
 * The list is that of PyTorch's own restricted reader (`weights_only=True`), with what training scripts put beside.
 */

import { type DepthwiseError, shorten } from "../../core/errors.ts";
import { fileError, quoted } from "../../core/file-error.ts";

type Kind = "map" | "list" | "bytes" | "object";

const STORAGES =
  "Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble QInt8 QUInt8 QInt32 Untyped Typed";
const TORCH_TYPES =
  "float float16 float32 float64 half double bfloat16 int int8 int16 int32 int64 short long uint8 uint16 uint32 uint64 " +
  "bool complex32 complex64 complex128 cfloat cdouble qint8 quint8 qint32 float8_e4m3fn float8_e5m2 float8_e4m3fnuz " +
  "float8_e5m2fnuz float8_e8m0fnu per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric";
const REBUILD =
  "tensor tensor_v2 tensor_v3 parameter parameter_with_state qtensor sparse_tensor meta_tensor_no_storage " +
  "wrapper_subclass device_tensor_from_numpy device_tensor_from_cpu_tensor";
const NUMPY = "scalar _reconstruct";

const LISTS = ["torch.Size", "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset"];
const MAPS = ["collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"];
const BYTES = ["_codecs.encode", "builtins.bytes", "builtins.bytearray"];
const OBJECTS = [
  ...STORAGES.split(" ").flatMap((type) =>
    ["torch", "torch.storage", "torch.cuda"].map((at) => `${at}.${type}Storage`),
  ),
  ...TORCH_TYPES.split(" ").map((type) => `torch.${type}`),
  ...REBUILD.split(" ").map((name) => `torch._utils._rebuild_${name}`),
  ...["numpy.core", "numpy._core"].flatMap((at) => NUMPY.split(" ").map((name) => `${at}.multiarray.${name}`)),
  ..."FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ByteTensor Tensor device layout strided preserve_format"
    .split(" ")
    .map((name) => `torch.${name}`),
  ...["torch.nn.parameter.Parameter", "torch.nn.Parameter", "torch.nn.parameter.Buffer"],
  ...["torch._tensor._rebuild_from_type_v2", "torch.serialization._get_layout"],
  ...["numpy.dtype", "numpy.ndarray", "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"],
  ..."float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_"
    .split(" ")
    .map((t) => `numpy.${t}`),
  ..."Float16 Float32 Float64 Int8 Int16 Int32 Int64 UInt8 Bool".split(" ").map((t) => `numpy.dtypes.${t}DType`),
  ...["argparse.Namespace", "types.SimpleNamespace", "copyreg._reconstructor", "builtins.object", "builtins.complex"],
  ...["builtins.int", "builtins.float", "builtins.bool", "builtins.str", "builtins.slice", "builtins.range"],
  ..."PosixPath WindowsPath PurePosixPath PureWindowsPath".split(" ").map((name) => `pathlib.${name}`),
  ...["datetime.datetime", "datetime.date", "datetime.timedelta"],
];

const KINDS: ReadonlyMap<string, Kind> = /* @__PURE__ */ new Map<string, Kind>([
  ...LISTS.map((name): [string, Kind] => [name, "list"]),
  ...MAPS.map((name): [string, Kind] => [name, "map"]),
  ...BYTES.map((name): [string, Kind] => [name, "bytes"]),
  ...OBJECTS.map((name): [string, Kind] => [name, "object"]),
]);

/** As Python 2 called them. */
const RENAMED: Readonly<Record<string, string>> = { __builtin__: "builtins", copy_reg: "copyreg" };

/** Modules that no file of weights has a reason to ask for. */
const DANGEROUS =
  /^(?:builtins|os|posix|nt|sys|subprocess|commands|shutil|socket|pty|pdb|code|codeop|runpy|importlib|imp|ctypes|operator|functools|types|inspect|marshal|pickle|_pickle|timeit|webbrowser|asyncio|multiprocessing|threading|urllib|http|requests|tempfile|io|_io|gc|signal|platform|site|zipimport|bdb|cProfile|profile|doctest|unittest|torch\.(?:hub|package|_dynamo|_inductor|jit\.unsupported|utils\.cpp_extension|distributed\.rpc))(?:\.|$)/;

/** How a global is called when it is asked to be. */
export function globalKind(name: string): Kind | undefined {
  return KINDS.get(name);
}

/**
 * The full name of a global of the list.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` or `FORMAT_UNKNOWN`, naming what was asked for
 */
export function findGlobal(module: string, name: string, file: string): string {
  const full = `${Object.hasOwn(RENAMED, module) ? RENAMED[module] : module}.${name}`;
  if (full.length < 200 && KINDS.has(full)) return full;
  throw refused(shorten(full, 200), file);
}

function refused(name: string, file: string): DepthwiseError {
  const isDangerous = DANGEROUS.test(name);
  return fileError(
    isDangerous ? "FILE_CORRUPT" : "FORMAT_UNKNOWN",
    file,
    `the pickle asks for ${printable(name)}; ` +
      "only tensors and plain data are read, nothing in a pickle is ever executed",
    isDangerous ? "A file of weights has no reason to ask for it: do not trust this file." : advice(name),
    { fields: { global: name } },
  );
}

function advice(name: string): string {
  const save = "load it in Python and save model.state_dict() with torch.save";
  if (name.startsWith("__torch__.")) return `It is TorchScript, a program: ${save}.`;
  return `If it is a whole model (torch.save(model)) or holds objects of a training script, ${save}.`;
}

/** Names may hold anything, line breaks and terminal codes too. */
function printable(name: string): string {
  return /^[\w.<>-]+…?$/.test(name) ? name : quoted(name);
}
