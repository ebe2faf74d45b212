/*
 * The wall clock of one process, by libfaketime: an offset in a file that it reads at each look. Its
 * monotonic clock stays as it is, as it does when a real clock is set.
 */
import { existsSync, writeFileSync } from 'node:fs'

const libraries = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
]

/** The library; undefined when it is not installed. */
export const fakedClockLibrary = (): string | undefined => libraries.find(path => existsSync(path))

/** Sets the clock of the processes that were started with the file. */
export const setFakedClock = (file: string, offsetSeconds: number): void =>
  writeFileSync(file, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}s\n`)

/** What a process is started with, so that its clock follows a file. */
export const fakedClockEnvironment = (library: string, file: string): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
})
