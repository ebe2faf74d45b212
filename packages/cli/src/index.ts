export { type ExitCode, exitCodes } from './exit-code.ts'
export { runProgram } from './run-program.ts'
export type { Channel, Clock, Terminal } from './terminal.ts'
