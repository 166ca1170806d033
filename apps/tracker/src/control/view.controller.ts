// Owns the message patterns beside those of the commands: views, presence, hello, and the stream of pushes.
import { Controller, UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, TcpContext } from '@nestjs/microservices';
import { type Observable } from 'rxjs';
import {
  CommandOutcomeRequest,
  type CommandOutcomeView,
  CopyListRequest,
  type CopyPage,
  type FilePage,
  FindSourcesRequest,
  type GrantView,
  FileListRequest,
  GroupListRequest,
  type GroupPage,
  type HelloView,
  ListRequest,
  type MemberPage,
  PresenceRequest,
  type PresenceView,
  type Push,
  RenewGrantRequest,
  type RequestPage,
  type SessionList,
  type SourcesView,
  TRACKER_PATTERNS,
  type ViewReply,
  ViewRequest,
  WatchGroupsRequest,
  type WatchView,
} from '#wire/tracker-api';
import { payloadPipe } from './payload-check.ts';
import { PeerDesk } from './peer-desk.ts';
import { Replies } from './replies.ts';
import { RpcFailureFilter } from './rpc-failure-filter.ts';
import { callerOf, socketOf } from './rpc-server.ts';
import { ViewService } from './view-service.ts';

@Controller()
@UseFilters(RpcFailureFilter)
export class ViewController {
  readonly #views: ViewService;
  readonly #desk: PeerDesk;
  readonly #replies: Replies;

  constructor(views: ViewService, desk: PeerDesk, replies: Replies) {
    this.#views = views;
    this.#desk = desk;
    this.#replies = replies;
  }

  @MessagePattern(TRACKER_PATTERNS.hello)
  hello(@Ctx() context: TcpContext): ViewReply<HelloView> {
    return this.#replies.withHead({ status: 'accepted', view: this.#desk.hello(callerOf(context)) });
  }

  @MessagePattern(TRACKER_PATTERNS.presence)
  presence(@Payload(payloadPipe) request: PresenceRequest, @Ctx() context: TcpContext): ViewReply<PresenceView> {
    return this.#replies.withHead({ status: 'accepted', view: this.#desk.present(request, callerOf(context)) });
  }

  @MessagePattern(TRACKER_PATTERNS.subscribe)
  subscribe(@Ctx() context: TcpContext): Observable<Push> {
    return this.#desk.pushes(callerOf(context), socketOf(context));
  }

  @MessagePattern(TRACKER_PATTERNS.listGroups)
  async groups(@Payload(payloadPipe) request: ListRequest, @Ctx() context: TcpContext): Promise<ViewReply<GroupPage>> {
    return this.#replies.withHead(await this.#views.groups(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.listMembers)
  async members(
    @Payload(payloadPipe) request: GroupListRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<MemberPage>> {
    return this.#replies.withHead(await this.#views.members(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.listRequests)
  async requests(
    @Payload(payloadPipe) request: GroupListRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<RequestPage>> {
    return this.#replies.withHead(await this.#views.requests(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.listFiles)
  async files(
    @Payload(payloadPipe) request: FileListRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<FilePage>> {
    return this.#replies.withHead(await this.#views.files(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.listSessions)
  async sessions(
    @Payload(payloadPipe) request: ViewRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<SessionList>> {
    return this.#replies.withHead(await this.#views.sessions(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.watchGroups)
  async watch(
    @Payload(payloadPipe) request: WatchGroupsRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<WatchView>> {
    const answer = await this.#views.watchable(request, callerOf(context));
    if (answer.status !== 'accepted') return this.#replies.withHead(answer);
    const groups = this.#desk.watch(answer.view.groups, callerOf(context));
    return this.#replies.withHead({ status: 'accepted', view: { groups } } as const);
  }

  @MessagePattern(TRACKER_PATTERNS.listCopies)
  async copies(
    @Payload(payloadPipe) request: CopyListRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<CopyPage>> {
    return this.#replies.withHead(await this.#views.copies(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.findSources)
  async sources(
    @Payload(payloadPipe) request: FindSourcesRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<SourcesView>> {
    return this.#replies.withHead(await this.#views.sources(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.renewGrant)
  async grant(
    @Payload(payloadPipe) request: RenewGrantRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<GrantView>> {
    return this.#replies.withHead(await this.#views.grant(request, callerOf(context)));
  }

  @MessagePattern(TRACKER_PATTERNS.commandOutcome)
  async outcome(
    @Payload(payloadPipe) request: CommandOutcomeRequest,
    @Ctx() context: TcpContext,
  ): Promise<ViewReply<CommandOutcomeView>> {
    return this.#replies.withHead(await this.#views.commandOutcome(request, callerOf(context)));
  }
}
