/*
 * A certificate that ends closes the port to everybody, at a moment that is known long before: so it is told
 * in time, and again, until it is renewed.
 */
import type { Log } from './logging.ts'
import { Seldom } from './seldom.ts'
import { certificateEndMs, type ServedCertificate } from './served-certificate.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** How often it is looked at, ms. */
const lookEveryMs = hourMs
/** Told once a day, whichever look comes first then, ms. */
const tellEveryMs = dayMs - lookEveryMs / 2

/** A certificate is to be renewed when it ends within so many days. */
export const certificateDaysMin = 14

/** Whole days until a time of the wall; negative when it is over. */
export const daysUntil = (endsAtMs: number, nowMs: number): number =>
  Math.floor((endsAtMs - nowMs) / dayMs)

/** Looks when the served certificate ends. */
export class CertificateWatch {
  readonly #log: Log
  readonly #wallClock: () => number
  readonly #seldom: Seldom
  readonly #timer: NodeJS.Timeout
  #endsAtMs: number

  constructor(options: {
    readonly certificate: ServedCertificate
    readonly log: Log
    /** The wall's time, ms since 1970. */
    readonly wallClock: () => number
    /** A clock that never goes back, ms. */
    readonly nowMs: () => number
  }) {
    this.#log = options.log
    this.#wallClock = options.wallClock
    this.#seldom = new Seldom(tellEveryMs, options.nowMs)
    this.#endsAtMs = certificateEndMs(options.certificate.certificate)
    this.#timer = setInterval(() => this.look(), lookEveryMs)
    this.#timer.unref()
    this.look()
  }

  /** Seconds until the certificate ends; negative when it has. */
  get secondsLeft(): number {
    return (this.#endsAtMs - this.#wallClock()) / 1_000
  }

  /** This one is served from now on. */
  take({ certificate }: ServedCertificate): void {
    this.#endsAtMs = certificateEndMs(certificate)
    const line = { event: 'tls.certificate-taken', endsAt: this.#endsAt }
    this.#log.info(line, 'another certificate is served')
    this.look()
  }

  /** Tells of it where it is time to. */
  look(): void {
    const daysLeft = daysUntil(this.#endsAtMs, this.#wallClock())
    if (daysLeft >= certificateDaysMin || !this.#seldom.isDue(this.#endsAt)) return
    const fields = { endsAt: this.#endsAt, daysLeft }
    if (daysLeft < 0) {
      const line = { event: 'tls.certificate-ended', ...fields }
      this.#log.error(line, 'the certificate has ended, and nobody believes it')
    } else {
      const line = { event: 'tls.certificate-ends', ...fields }
      this.#log.warn(line, 'the certificate ends soon and is to be renewed')
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  get #endsAt(): string {
    return new Date(this.#endsAtMs).toISOString()
  }
}
