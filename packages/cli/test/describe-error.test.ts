import { BuildError } from '@fanfold/build/variants'
import { FanfoldError } from '@fanfold/client'
import { ConfigError } from '@fanfold/node'
import t from 'tap'
import { CommandError, commandErrorCodes } from '../src/command-error.ts'
import { describeError } from '../src/describe-error.ts'
import { exitCodes } from '../src/exit-code.ts'

const systemError = (code: string): Error =>
  Object.assign(new Error(`it failed: ${code}`), { code })

await t.test('every code of the command has its exit code', async t => {
  t.equal(describeError(new CommandError('FANFOLD_USAGE', 'x')).exitCode, 2)
  t.equal(describeError(new CommandError('FANFOLD_UNREACHABLE', 'x')).exitCode, 3)
  t.equal(describeError(new CommandError('FANFOLD_DISORDER', 'x')).exitCode, 1)
  t.equal(describeError(new CommandError('FANFOLD_PATCH_MISFIT', 'x')).exitCode, 4)
  for (const { exit, meaning } of Object.values(commandErrorCodes)) {
    t.ok(exit in exitCodes, meaning)
  }
})

await t.test('an error of the client keeps its code, and says what to do', async t => {
  const refused = describeError(new FanfoldError('FANFOLD_UNAUTHORIZED', 'no token'))
  t.match(refused, {
    code: 'FANFOLD_UNAUTHORIZED',
    exitCode: 1,
    message: /^no token: give a token/,
  })
  t.equal(describeError(new FanfoldError('FANFOLD_CONNECTION_FAILED', 'x')).exitCode, 3)
  t.equal(describeError(new FanfoldError('FANFOLD_BAD_OPTION', 'x')).exitCode, 2)
})

await t.test('all problems of a configuration are told', async t => {
  const error = new ConfigError([
    { place: '--port', message: 'one' },
    { place: 'fanfold.yaml:2', message: 'two' },
  ])
  const { message, exitCode } = describeError(error)
  t.equal(exitCode, 2)
  t.match(message, /--port: one\n.*fanfold.yaml:2: two/)
})

await t.test('other errors are one line with a code of ours', async t => {
  const definition = new BuildError([{ place: 'match.ts', message: 'no such file' }])
  t.match(describeError(definition), { code: 'FANFOLD_DEFINITION_INVALID', exitCode: 1 })
  t.match(describeError(systemError('EADDRINUSE')), { code: 'FANFOLD_ADDRESS_IN_USE' })
  t.match(describeError(systemError('ENOENT')), { code: 'FANFOLD_NO_FILE', exitCode: 1 })
  t.match(describeError(systemError('FANFOLD_LOG_DAMAGED')), { code: 'FANFOLD_LOG_DAMAGED' })
  t.match(describeError(new Error('a\n  b')), { code: 'FANFOLD_FAILED', message: 'a b' })
  t.match(describeError('thrown'), { code: 'FANFOLD_FAILED', message: 'thrown' })
})
