/** Waits for the end of the process that holds its standard input, and takes away what that one left of a machine. */
import { removeMachine } from './machine.ts'

process.stdin.resume().once('end', () => void removeMachine(process.argv[2]!))
