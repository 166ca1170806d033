// Owns the commands' addresses: one for each, named like the command, with its body's class.
import { applyDecorators, Body, Controller, Get, Inject, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiAcceptedResponse, ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ChangePasswordBody,
  CopiesBody,
  CredentialsBody,
  EmptyBody,
  EndSessionBody,
  GroupBody,
  GroupUserBody,
  NewUserBody,
} from '#wire/command-bodies';
import { CommandStateView, CommandView } from '#wire/control-answers';
import {
  type ControlCommandName,
  DownloadFileBody,
  SeedFileBody,
  StopShareBody,
  UploadFileBody,
} from '#wire/control-requests';
import { CommandHeaders, type CommandNames, TakesCommandHeaders } from './command-headers.ts';
import { type CommandReply, CommandRunner } from './command-runner.ts';
import { CommandReplyInterceptor } from './command-reply.interceptor.ts';
import { ProblemResponses } from './openapi-document.ts';
import { ProblemError } from './problem-error.ts';

/** A command's address and its place in the OpenAPI document. */
function Command(name: ControlCommandName, summary: string): MethodDecorator {
  return applyDecorators(
    Post(name),
    ApiOperation({ operationId: name, summary }),
    TakesCommandHeaders(),
    ApiOkResponse({ type: CommandView, description: 'Done.' }),
  );
}

/** A command that begins work, and what its answer says while that goes on. */
function TransferCommand(name: ControlCommandName, summary: string, description: string): MethodDecorator {
  return applyDecorators(Command(name, summary), ApiAcceptedResponse({ type: CommandView, description }));
}

@ApiTags('commands')
@ProblemResponses()
@UseInterceptors(CommandReplyInterceptor)
@Controller('api/v1/commands')
export class CommandsController {
  readonly #commands: CommandRunner;

  constructor(@Inject(CommandRunner) commands: CommandRunner) {
    this.#commands = commands;
  }

  @Command('create_user', 'Makes a user')
  createUser(@Body() body: NewUserBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('create_user', body, names);
  }

  @Command('login', 'Logs a user in on this peer; transfers of that user go on')
  login(@Body() body: CredentialsBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('login', body, names);
  }

  @Command('logout', 'Logs out on this peer; transfers and serving pause')
  logout(@Body() body: EmptyBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('logout', body, names);
  }

  @Command('end_session', "Ends one of the user's sessions")
  endSession(@Body() body: EndSessionBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('end_session', body, names);
  }

  @Command('change_password', "Changes the password and ends the user's other sessions")
  changePassword(@Body() body: ChangePasswordBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('change_password', body, names);
  }

  @Command('create_group', 'Makes a group, owned by who is logged in')
  createGroup(@Body() body: GroupBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('create_group', body, names);
  }

  @Command('join_group', 'Asks to join a group')
  joinGroup(@Body() body: GroupBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('join_group', body, names);
  }

  @Command('leave_group', 'Leaves a group; the last one out dissolves it')
  leaveGroup(@Body() body: GroupBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('leave_group', body, names);
  }

  @Command('accept_request', 'Accepts a request to join; for the owner')
  acceptRequest(@Body() body: GroupUserBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('accept_request', body, names);
  }

  @Command('reject_request', 'Rejects a request to join; for the owner')
  rejectRequest(@Body() body: GroupUserBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('reject_request', body, names);
  }

  @Command('remove_member', 'Removes a member; for the owner')
  removeMember(@Body() body: GroupUserBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('remove_member', body, names);
  }

  @Command('transfer_ownership', 'Makes another member the owner; for the owner')
  transferOwnership(@Body() body: GroupUserBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('transfer_ownership', body, names);
  }

  @Command('set_copies', 'Sets how many complete copies of each file the group wants, 0 for no wish; for the owner')
  setCopies(@Body() body: CopiesBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('set_copies', body, names);
  }

  @TransferCommand(
    'upload_file',
    'Hashes a file or folder, shares it in a group and serves it; with update: true as the next version of its name',
    'Under way; result.transferId names the transfer. What takes longer than 2 s to hash is answered before the log has ' +
      'decided: offset is null, and GET /commands/{id} tells what came of it.',
  )
  uploadFile(@Body() body: UploadFileBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('upload_file', body, names);
  }

  @TransferCommand(
    'download_file',
    'Fetches a file of a group from those who have it',
    'Accepted; result.transferId names the transfer.',
  )
  downloadFile(@Body() body: DownloadFileBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('download_file', body, names);
  }

  @Command('seed_file', 'Verifies a copy that is on disk already, and serves it')
  seedFile(@Body() body: SeedFileBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('seed_file', body, names);
  }

  @Command(
    'stop_share',
    "Ends this peer's seeding of a file, or of one version; everywhere: true takes it out of the group",
  )
  stopShare(@Body() body: StopShareBody, @CommandHeaders() names?: CommandNames): Promise<CommandReply> {
    return this.#commands.run('stop_share', body, names);
  }

  @Post(':command')
  @ApiExcludeEndpoint()
  unknownCommand(@Param('command') command: string): never {
    throw new ProblemError('command_not_found', { detail: `There is no command ${JSON.stringify(command)}.` });
  }

  @Get(':id')
  @ApiOperation({ operationId: 'command_state', summary: 'What became of a command, by its id' })
  @ApiOkResponse({ type: CommandStateView })
  state(@Param('id') id: string): Promise<CommandStateView> {
    return this.#commands.stateOf(id);
  }
}
