/*
 * The whole of it, as somebody who runs `npm start` has it: the command in a process of its own, and its
 * page in a browser. FANFOLD_SCREENSHOT=<path> keeps the picture.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startCommand } from '../command-process.ts'
import { openBrowser, RacePage } from './race-page.ts'

t.setTimeout(400_000)
const project = fileURLToPath(new URL('../../../../../examples/grand-prix', import.meta.url))
const directory = t.testdir({})

/** Starts the tree; its data outlives it. */
async function startDev({ port, adminPort }: { port: string; adminPort: string }) {
  const args = ['dev', project, '--port', port, '--admin-port', adminPort, '--seed', '9', '--json']
  const dev = await startCommand(t, [...args, '--data', join(directory, 'data')], {})
  const { pageUrl, operatorUrl } = JSON.parse(dev.firstLine)
  return { pageUrl: String(pageUrl), operatorUrl: String(operatorUrl), end: dev.end }
}

const browser = await openBrowser(t)
const dev = await startDev({ port: '0', adminPort: '0' })
const page = await RacePage.open(browser, dev.pageUrl)

await t.test('the page shows the race live', async t => {
  await page.untilStatus('live')
  await page.until('tbody tr:nth-child(20)')
  t.equal(await page.rowCount(), 20)
  t.match(await page.text('h1'), /Grand Prix$/)
  const before = await page.delivered()
  await page.untilDelivered(now => now.deltas > before.deltas && now.seq > before.seq)
  t.equal((await page.delivered()).epoch, 1)
})

await t.test('the second edge shows the same race', async t => {
  const second = await RacePage.open(browser, `${dev.pageUrl}?edge=/edge/2`)
  await second.untilStatus('live')
  await second.until('tbody tr:nth-child(20)')
  t.equal(await second.rowCount(), 20)
  t.match(await second.text('.source'), /\/edge\/2 · demo\/grand-prix\/corvane$/)
  await second.untilDelivered(now => now.deltas > 0 && now.seq > 0)
  t.same(second.problems, [])
})

await t.test('what is said in one browser counts, and the others see it', async t => {
  const second = await RacePage.open(browser, `${dev.pageUrl}?edge=/edge/2`)
  await second.untilStatus('live')
  await page.press('tbody tr:nth-child(3) .follow')
  const code = (await page.text('tbody tr:nth-child(3) .follow')).trim()
  await page.press('.say[aria-label^="Cheer"]')
  await page.until('.say.is-counted[aria-label^="Cheer"]')
  await second.until(`.leaders:has-text("Cheers") dd:has-text("${code}")`)
  await page.press('.say[aria-label^="Vote"]')
  await page.until('.say.is-counted[aria-label^="Vote"]')
  await second.until(`.leaders:has-text("Driver of the day") dd:has-text("${code}")`)
  await second.until(`.leaders:has-text("Followed") dd:has-text("${code}")`)
  await second.until('.viewers b:has-text("3")')
  t.same(second.problems, [])
})

await t.test('the start lights go on, and those of the sectors when cars pass', async t => {
  await page.until('.start i.is-lit')
  t.match(await page.text('.notices li'), /FORMATION LAP/)
  await page.until('.light.is-slower, .light.is-personal, .light.is-overall')
  t.match(await page.text('.notices li'), /LIGHTS OUT/)
  t.match(await page.text('.lap'), /LAP 1\n*\/\d+/i)
})

await t.test('the page fits a desk and a phone', async t => {
  t.equal(await page.overflowAt(390, 844), 0)
  await page.until('[aria-label="Race control"] li')
  t.equal(await page.overflowAt(1280, 800), 0)
  await page.until('[aria-label="Race control"] li')
  const path = process.env['FANFOLD_SCREENSHOT'] ?? join(directory, 'page.png')
  await page.screenshot(path)
  t.ok(statSync(path).size > 20_000, 'the picture has something in it')
})

await t.test('nothing goes wrong on the way, and nobody else is asked', async t => {
  t.same(page.problems, [])
})

await t.test('a tree that stops makes the page stale, and one that starts again live', async t => {
  t.equal(await dev.end('SIGTERM'), 0)
  await page.untilStatus('stale', 'connecting')
  t.equal(await page.rowCount(), 20, 'what was shown is still there')
  const again = await startDev({
    port: new URL(dev.pageUrl).port,
    adminPort: new URL(dev.operatorUrl).port,
  })
  await page.untilStatus('live')
  await page.untilDelivered(now => now.epoch === 2)
  await page.until('tbody tr:nth-child(20)')
  t.equal(await again.end('SIGTERM'), 0)
})
