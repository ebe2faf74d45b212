#!/usr/bin/env node
import { openProcessTerminal } from './process-terminal.ts'
import { runProgram } from './run-program.ts'

/** Sockets that still say goodbye keep the process no longer than this, ms. */
const goodbyeMsMax = 2_000

process.exitCode = await runProgram(process.argv.slice(2), openProcessTerminal(process))
setTimeout(() => process.exit(), goodbyeMsMax).unref()
