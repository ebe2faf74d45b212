import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

type Book = { title: string; pages: Record<string, string> }

/** A document of which each viewer looks at one page. */
export default defineDocument({
  type: 'book',
  state: (): Book => ({ title: '', pages: {} }),
  observe: { allow: () => true },
  viewState: z.object({ page: z.string() }),
  view: (book, _audience, viewState) => {
    const page = viewState?.page ?? ''
    return { title: book.title, page, text: book.pages[page] ?? null }
  },
  messages: {
    write: message(z.object({ page: z.string(), text: z.string() }), (book, { page, text }) => {
      book.pages[page] = text
    }),
  },
})
