/* The timing screen in a browser without a window, as a person sees it. */
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import type { Test } from 'tap'
import { chromium, findProgram, missingSentence } from '../system/system-program.ts'
import { thisMachine } from '../system/this-machine.ts'

/** What is waited for on the page comes within this, ms: the lights go on 13 s after the start. */
const patienceMs = 30_000

/** A browser that talks to nobody but the page's server. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts the system's Chromium, until the test ends. @throws Error that says what to install */
export async function openBrowser(t: Test): Promise<Browser> {
  const executablePath = findProgram(chromium, thisMachine)
  if (executablePath === undefined) throw new Error(missingSentence(chromium))
  const browser = await playwright.launch({ executablePath, args: quiet })
  t.teardown(() => browser.close())
  return browser
}

/** What the strip below the race says. */
export type Delivered = {
  readonly deltas: number
  readonly epoch: number
  readonly seq: number
}

/** One tab with the timing screen. */
export class RacePage {
  /** What went wrong so far: errors on the console, exceptions, requests to other hosts. */
  readonly problems: string[] = []
  readonly #page: Page

  private constructor(page: Page, host: string) {
    this.#page = page
    page.setDefaultTimeout(patienceMs)
    page.on('pageerror', error => this.problems.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') this.problems.push(message.text())
    })
    page.on('request', request => {
      const url = new URL(request.url())
      const isOurs = url.host === host || url.protocol === 'data:'
      if (!isOurs) this.problems.push(`asked ${url.host}`)
    })
  }

  /** Opens `url` in a new tab. */
  static async open(browser: Browser, url: string): Promise<RacePage> {
    const page = new RacePage(await browser.newPage(), new URL(url).host)
    await page.#page.goto(url)
    return page
  }

  /** Waits until the status is one of `statuses`. */
  async untilStatus(...statuses: ('connecting' | 'live' | 'stale')[]): Promise<void> {
    await this.until(statuses.map(status => `.connection.is-${status}`).join(', '))
  }

  /** Waits until something that `selector` names can be seen. */
  async until(selector: string): Promise<void> {
    await this.#page.locator(selector).first().waitFor()
  }

  /** Presses what `selector` names first, as soon as it is there. */
  async press(selector: string): Promise<void> {
    await this.#page.locator(selector).first().click()
  }

  /** Waits until the strip below the race says what `check` wants; the strip is drawn four times a second. */
  async untilDelivered(check: (now: Delivered) => boolean): Promise<void> {
    const deadline = performance.now() + patienceMs
    let now = await this.delivered()
    while (!check(now)) {
      if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(now)}`)
      await this.#page.waitForTimeout(100)
      now = await this.delivered()
    }
  }

  /** The footer as numbers. */
  async delivered(): Promise<Delivered> {
    const text = await this.#page.locator('footer').innerText()
    const [, deltas = ''] = /DELTAS\s+([\d,]+)/i.exec(text) ?? []
    const [, epoch, seq] = /EPOCH:SEQ\s+(\d+):(\d+)/i.exec(text) ?? []
    return {
      deltas: Number(deltas.replaceAll(',', '')),
      epoch: Number(epoch),
      seq: Number(seq),
    }
  }

  /** The cars that are listed. */
  async rowCount(): Promise<number> {
    return await this.#page.locator('table[aria-label=Timing] tbody tr').count()
  }

  /** The text of what `selector` names first. */
  async text(selector: string): Promise<string> {
    return await this.#page.locator(selector).first().innerText()
  }

  /** Gives the window another size; returns what does not fit into its width, pixels. */
  async overflowAt(width: number, height: number): Promise<number> {
    await this.#page.setViewportSize({ width, height })
    return await this.#page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
  }

  /** Writes a picture of the window, PNG. */
  async screenshot(path: string): Promise<void> {
    await this.#page.screenshot({ path })
  }
}
