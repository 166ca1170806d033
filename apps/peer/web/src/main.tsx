// Owns the start of the page: it is drawn at once, and lives by the events of the peer from then on.
import './styles/main.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { shareConnections } from './live/unseen-pages.ts';
import { startSession } from './state/session.ts';
import './state/theme.ts';

render(<App />, document.querySelector('#page')!);
void startSession();
shareConnections();
