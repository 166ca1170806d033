// Owns the views that come from the log: groups, their members, requests and files, and the sessions of the user.
import { Controller, Delete, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { EndSessionBody } from '#wire/command-bodies';
import { CommandView } from '#wire/control-answers';
import { FileListView, GroupListView, MemberListView, RequestListView, SessionListView } from '#wire/control-api';
import { FileListQuery, LIST_LIMIT_DEFAULT, ListQuery } from '#wire/control-requests';
import type { Page } from '#wire/tracker-api';
import { type PageRequest, TRACKER_LINK, type TrackerLink, type ViewAnswer } from '../tracker-link/tracker-link.ts';
import { CommandHeaders, type CommandNames, TakesCommandHeaders } from './command-headers.ts';
import { CommandRunner } from './command-runner.ts';
import { PEER_ID } from './control-tokens.ts';
import { fileItem } from './file-item.ts';
import { ProblemResponses } from './openapi-document.ts';
import { acceptedOrThrow } from './problem-error.ts';

@ApiTags('views')
@ProblemResponses()
@Controller('api/v1')
export class ViewsController {
  readonly #link: TrackerLink;
  readonly #commands: CommandRunner;
  readonly #peerId: string;

  constructor(
    @Inject(TRACKER_LINK) link: TrackerLink,
    @Inject(CommandRunner) commands: CommandRunner,
    @Inject(PEER_ID) peerId: string,
  ) {
    this.#link = link;
    this.#commands = commands;
    this.#peerId = peerId;
  }

  @Get('groups')
  @ApiOperation({ operationId: 'list_groups', summary: 'Every group, with the standing of who is logged in' })
  @ApiOkResponse({ type: GroupListView })
  async listGroups(@Query() query: ListQuery): Promise<GroupListView> {
    return listOf(await this.#link.listGroups(pageOf(query)), ({ copies = 0, ...group }) => ({ ...group, copies }));
  }

  @Get('groups/:group/members')
  @ApiOperation({ operationId: 'list_members', summary: 'The members of a group, for its members' })
  @ApiOkResponse({ type: MemberListView })
  async listMembers(@Param('group') group: string, @Query() query: ListQuery): Promise<MemberListView> {
    return listOf(await this.#link.listMembers(group, pageOf(query)), ({ user, role, sinceMs }) => ({
      user,
      role,
      since: timeText(sinceMs),
    }));
  }

  @Get('groups/:group/requests')
  @ApiOperation({ operationId: 'list_requests', summary: 'The open requests to join a group, for its owner' })
  @ApiOkResponse({ type: RequestListView })
  async listRequests(@Param('group') group: string, @Query() query: ListQuery): Promise<RequestListView> {
    return listOf(await this.#link.listRequests(group, pageOf(query)), ({ user, sinceMs }) => ({
      user,
      since: timeText(sinceMs),
    }));
  }

  @Get('groups/:group/files')
  @ApiOperation({ operationId: 'list_files', summary: 'The files of a group, or all their versions, for its members' })
  @ApiOkResponse({ type: FileListView })
  async listFiles(@Param('group') group: string, @Query() query: FileListQuery): Promise<FileListView> {
    const page = { ...pageOf(query), ...(query.versions !== undefined && { versions: query.versions }) };
    return listOf(await this.#link.listFiles(group, page), fileItem);
  }

  @Get('sessions')
  @ApiOperation({ operationId: 'list_sessions', summary: 'The sessions of the user, on this peer and on others' })
  @ApiOkResponse({ type: SessionListView })
  async listSessions(): Promise<SessionListView> {
    const { view, asOfOffset } = acceptedOrThrow(await this.#link.listSessions());
    const items = view.items.map(({ sessionId, peerId, startedAtMs, expiresAtMs }) => ({
      sessionId,
      peerId,
      startedAt: timeText(startedAtMs),
      expiresAt: expiresAtMs === null ? null : timeText(expiresAtMs),
      current: peerId === this.#peerId,
    }));
    return { items, next: null, asOfOffset };
  }

  @Delete('sessions/:peerId')
  @ApiOperation({ operationId: 'delete_session', summary: 'Ends a session of the user: the command end_session' })
  @TakesCommandHeaders()
  @ApiOkResponse({ type: CommandView })
  async endSession(@Param() session: EndSessionBody, @CommandHeaders() names: CommandNames): Promise<CommandView> {
    return (await this.#commands.run('end_session', session, names)).body;
  }
}

function pageOf({ limit, after }: ListQuery): PageRequest {
  return { limit: limit ?? LIST_LIMIT_DEFAULT, ...(after !== undefined && { after }) };
}

function listOf<View, Item>(
  answer: ViewAnswer<Page<View>>,
  shown: (view: View) => Item,
): { items: Item[]; next: string | null; asOfOffset: number } {
  const { view, asOfOffset } = acceptedOrThrow(answer);
  return { items: view.items.map(shown), next: view.next, asOfOffset };
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
