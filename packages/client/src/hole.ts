/** What stands for a document that is not there, in the place of its view. */
export class Hole {
  /** `connecting` while the document may still come by itself; `closed` when it was refused, or is gone. */
  readonly status: 'connecting' | 'closed'
  /** The code of why, such as `FANFOLD_DELETED`; undefined while nothing was heard. */
  readonly code: string | undefined

  constructor(status: Hole['status'], code: string | undefined) {
    this.status = status
    this.code = code
  }
}
