// Owns the message patterns of the commands: the pattern is the command's name, the envelope is one class for all.
import { Controller, UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, TcpContext } from '@nestjs/microservices';
import { CommandRequest, PEER_COMMAND_NAMES, type CommandReply, type PeerCommandName } from '#wire/tracker-api';
import { CommandService } from './command-service.ts';
import { checkedBody, payloadPipe } from './payload-check.ts';
import { Replies } from './replies.ts';
import { RpcFailureFilter } from './rpc-failure-filter.ts';
import { callerOf } from './rpc-server.ts';

@Controller()
@UseFilters(RpcFailureFilter)
export class CommandController {
  readonly #commands: CommandService;
  readonly #replies: Replies;

  constructor(commands: CommandService, replies: Replies) {
    this.#commands = commands;
    this.#replies = replies;
  }

  @MessagePattern([...PEER_COMMAND_NAMES])
  async command(@Payload(payloadPipe) envelope: CommandRequest, @Ctx() context: TcpContext): Promise<CommandReply> {
    const name = context.getPattern() as PeerCommandName;
    const { body: rawBody, ...request } = envelope;
    const body = await checkedBody(name, rawBody);
    return this.#replies.withHead(await this.#commands.run({ name, request, body, caller: callerOf(context) }));
  }
}
