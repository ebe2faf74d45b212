import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'

/** What the client may weigh in a browser, gzipped, bytes. */
const bundleBytesMax = 10_240

t.test('the client is at most 10 KB gzipped in a browser, and needs nothing of Node', async t => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(import.meta.resolve('@fanfold/client'))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
  })
  const bytes = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length
  t.ok(bytes > 1_000 && bytes <= bundleBytesMax, `${bytes} of ${bundleBytesMax} bytes`)
  const [output] = Object.values(metafile.outputs)
  const libraries = Object.entries(output?.inputs ?? {})
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes('node_modules/'))
    .map(([path]) => path)
  t.same(libraries, [], 'no library comes along')
})
