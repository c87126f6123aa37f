/** Load, CPUs, scheduler: /proc/loadavg and /proc/stat (man 5 proc_stat). */
import { CPU_MODES } from '../catalogue/cpu.ts'
import type { ReadingRow } from '../metric.ts'
import type { Files } from './files.ts'
import { known, type Part, type Reader, type Values } from './reader.ts'
import { numberAfter, numberIn } from './text.ts'

/** USER_HZ, the same on every Linux. */
const TICKS_PER_SECOND = 100
/** More are counted: a scrape with a thousand lines for each of 8 modes is no use to anybody. */
const MOST_CPUS = 256

export function processorReader(files: Files): Reader {
  return {
    name: 'processor',
    read(): Part {
      const load = loadIn(files.line('/proc/loadavg'))
      const stat = files.text('/proc/stat')
      if (stat === undefined) return { host: load }
      const lines = stat.split('\n').filter((line) => line.startsWith('cpu'))
      const cpus = lines.filter((line) => line[3] !== ' ')
      const left = Math.max(0, cpus.length - MOST_CPUS)
      return {
        host: { ...load, ...machine(stat, lines[0] ?? ''), cpu_count: cpus.length, left_out_cpu_count: left },
        rows: cpus.slice(0, MOST_CPUS).flatMap((line) => rowOf(line)),
      }
    },
  }
}

function rowOf(line: string): ReadingRow[] {
  const values = seconds(line)
  const labels = { cpu: line.slice(3, line.indexOf(' ')) }
  return Object.keys(values).length === 0 ? [] : [{ subject: 'cpu', labels, values }]
}

/** `2.95 2.76 2.59 3/257 13292`. gVisor says 0.00 and no task at all: it does not know. */
function loadIn(text = ''): Values {
  const [load1, load5, load15, tasks] = text.split(' ')
  return tasks === '0/0' ? {} : known({ load_1: numberIn(load1), load_5: numberIn(load5), load_15: numberIn(load15) })
}

function machine(stat: string, line: string): Values {
  const boot = { boot_time_seconds: numberAfter(stat, 'btime') }
  const all = Object.entries(seconds(line)).filter(([name]) => name !== 'irq_seconds' && name !== 'softirq_seconds')
  if (all.length === 0) return known(boot)
  return known({
    ...boot,
    ...Object.fromEntries(all.map(([name, value]) => [`cpu_${name}`, value])),
    context_switches: numberAfter(stat, 'ctxt'),
    interrupts: numberAfter(stat, 'intr'),
    forks: numberAfter(stat, 'processes'),
    tasks_running: numberAfter(stat, 'procs_running'),
    tasks_blocked: numberAfter(stat, 'procs_blocked'),
  })
}

/** Some kernels have fewer numbers in the line. gVisor says 0 to all: it does not know how long it idled. */
function seconds(line: string): Values {
  const ticks = line.split(/ +/).slice(1)
  if (ticks.every((number) => number === '0')) return {}
  const values = known(
    Object.fromEntries(
      CPU_MODES.map((mode, at) => [`${mode}_seconds`, Number.parseInt(ticks[at] ?? '', 10) / TICKS_PER_SECOND]),
    ),
  )
  const { irq_seconds: irq, softirq_seconds: softirq } = values
  return irq === undefined ? values : { ...values, interrupt_seconds: irq + (softirq ?? 0) }
}
