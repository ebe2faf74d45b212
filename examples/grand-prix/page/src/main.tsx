import { render } from 'preact'
import { App } from './app.tsx'
import './page.css'
import './table.css'
import './table-narrow.css'
import './strips.css'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no element #app')
render(<App />, root)
