/**
 * Names in WGSL text. The kernel IR already generates its names, so most go through unchanged (`acc3`, `weights`); what WGSL
 * reserves, what it could not spell, and what the printer itself uses is changed to something near and unused.
 *
 * Invariant: the result is an ASCII identifier of lower-case letters, digits and underscores that starts with a letter, is
 * no word of WGSL, and is unique within the shader. No user text ever gets here.
 */

/** Keywords, reserved words, predeclared types, built-in functions and values that a name must not hide. */
const WORDS: ReadonlySet<string> = new Set(
  `alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while
  abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await co_return
  co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit crate
  debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough
  filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof interface
  layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline
  nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch
  pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast
  require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target
  template this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using
  varying virtual volatile wgsl where with writeonly yield
  array atomic bool f16 f32 i32 u32 vec2 vec3 vec4 ptr sampler texture mat2x2 mat3x3 mat4x4 function private workgroup uniform
  storage read write read_write
  abs all any acos acosh asin asinh atan atan2 atanh bitcast ceil clamp cos cosh cross degrees determinant distance dot exp
  exp2 firstbit floor fma fract frexp inverse inversesqrt ldexp length log log2 max min mix modf normalize pow quantize
  radians reflect refract reverse round saturate select sign sin sinh smoothstep sqrt step tan tanh transpose trunc
  main uniforms local_id global_id workgroup_id num_workgroups local_index subgroup_lane`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Gives each IR name its WGSL name; the same IR name always gets the same one. */
export class NameTable {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** The WGSL name of `name`. */
  get(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const base = spell(name);
    let candidate = base;
    for (let n = 2; this.#taken.has(candidate); n++) candidate = `${base}_${n}`;
    this.#taken.add(candidate);
    this.#names.set(name, candidate);
    return candidate;
  }
}

function spell(name: string): string {
  const ascii = name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .replace(/_+/g, '_')
    .replace(/_$/, '');
  const started = /^[a-z]/.test(ascii) ? ascii : `v${ascii.startsWith('_') ? ascii : `_${ascii}`}`;
  return WORDS.has(started) ? `${started}_0` : started;
}
