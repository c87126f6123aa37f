/** What the bits of /proc/sys/kernel/tainted mean: Documentation/admin-guide/tainted-kernels.rst of the kernel. */

const bits: readonly (readonly [letter: string, meaning: string])[] = [
  ['P', 'proprietary module was loaded'],
  ['F', 'module was force loaded'],
  ['S', 'kernel running on an out of specification system'],
  ['R', 'module was force unloaded'],
  ['M', 'processor reported a Machine Check Exception (MCE)'],
  ['B', 'bad page referenced or some unexpected page flags'],
  ['U', 'taint requested by userspace application'],
  ['D', 'kernel died recently, i.e. there was an OOPS or BUG'],
  ['A', 'ACPI table overridden by user'],
  ['W', 'kernel issued warning'],
  ['C', 'staging driver was loaded'],
  ['I', 'workaround for bug in platform firmware applied'],
  ['O', 'externally-built ("out-of-tree") module was loaded'],
  ['E', 'unsigned module was loaded'],
  ['L', 'soft lockup occurred'],
  ['K', 'kernel has been live patched'],
  ['X', 'auxiliary taint, defined and used by distributions'],
  ['T', 'kernel was built with the struct randomization plugin'],
  ['N', 'an in-kernel test has been run'],
  ['J', 'userspace used a mutating debug operation in fwctl'],
]

/** One line per set bit; a single line when there is none or nothing could be read. */
export function explainTaint(tainted: string | undefined): string[] {
  const text = tainted?.trim()
  if (text === undefined || !/^\d+$/.test(text)) return ['unknown: /proc/sys/kernel/tainted could not be read']
  const value = BigInt(text)
  if (value === 0n) return ['0: not tainted']
  const set = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (value >> BigInt(bit)) & 1n)
  return set.map((bit) => {
    const [letter, meaning] = bits[bit] ?? ['?', 'not documented when this was written']
    return `bit ${bit} (${letter}): ${meaning}`
  })
}
