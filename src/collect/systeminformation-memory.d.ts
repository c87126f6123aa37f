/** Of the package only what is called; it has types for the whole alone. */
declare module 'systeminformation/lib/memory.js' {
  import type { Systeminformation } from 'systeminformation'

  const library: { mem(): Promise<Systeminformation.MemData> }
  export default library
}
