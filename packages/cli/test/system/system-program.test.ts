import t from 'tap'
import {
  aptGet,
  cCompiler,
  chromium,
  findProgram,
  type Machine,
  missingSentence,
  packagesToInstall,
  redisServer,
  strace,
} from './system-program.ts'

function machine(facts: { has: string[]; says?: string; isRoot?: boolean }): Machine {
  return {
    environment: { FANFOLD_CHROMIUM: facts.says },
    isRoot: facts.isRoot ?? true,
    isProgram: path => facts.has.includes(path),
  }
}

t.test('the first path that has the program is used', async t => {
  const has = ['/usr/bin/google-chrome', '/usr/bin/chromium-browser', aptGet]
  t.equal(findProgram(chromium, machine({ has })), '/usr/bin/chromium-browser')
  t.same(packagesToInstall([chromium], machine({ has })), [])
})

t.test('a variable that is set decides alone', async t => {
  const has = ['/usr/bin/chromium', '/opt/browser', aptGet]
  t.equal(findProgram(chromium, machine({ has, says: '/opt/browser' })), '/opt/browser')
  t.equal(findProgram(chromium, machine({ has, says: '' })), '/usr/bin/chromium')
  t.equal(findProgram(chromium, machine({ has, says: '/opt/none' })), undefined)
  t.same(packagesToInstall([chromium], machine({ has, says: '/opt/none' })), [])
})

t.test('what is missing is installed by root where there is apt-get', async t => {
  const programs = [chromium, strace]
  t.same(packagesToInstall(programs, machine({ has: [aptGet] })), ['chromium', 'strace'])
  t.same(packagesToInstall(programs, machine({ has: [aptGet, '/usr/bin/strace'] })), ['chromium'])
  t.same(packagesToInstall(programs, machine({ has: [aptGet], isRoot: false })), [])
  t.same(packagesToInstall(programs, machine({ has: [] })), [])
})

t.test(
  'a server that is missing is installed, and one that was built elsewhere is used',
  async t => {
    t.same(packagesToInstall([redisServer], machine({ has: [aptGet] })), ['redis-server'])
    const built = '/usr/local/bin/redis-server'
    t.equal(findProgram(redisServer, machine({ has: [built, aptGet] })), built)
    t.same(packagesToInstall([redisServer], machine({ has: [built, aptGet] })), [])
  },
)

t.test('a program of several packages is installed with all of them', async t => {
  t.same(packagesToInstall([cCompiler], machine({ has: [aptGet] })), ['gcc', 'libc6-dev'])
  t.equal(
    missingSentence(cCompiler),
    'every test of the native addon needs gcc libc6-dev: run `apt-get install gcc libc6-dev` as root',
  )
})

t.test('what cannot be installed is said in one sentence', async t => {
  t.equal(
    missingSentence(chromium),
    'the test of the page needs chromium: run `apt-get install chromium` as root, or set FANFOLD_CHROMIUM to the path of one',
  )
  t.equal(
    missingSentence(strace),
    'the test that an edge writes nothing needs strace: run `apt-get install strace` as root',
  )
})
