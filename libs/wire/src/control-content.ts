// Owns what the control endpoint takes and answers about reading the content of files, as classes that class-validator checks.
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsRFC3339, IsString, Matches, Max, Min } from 'class-validator';
import { GroupFileBody } from './command-bodies.ts';
import { CONTENT_LINK_SECONDS_MAX } from './limits.ts';
import { IsPathInShare, IsVersion } from './name-validation.ts';

/** How long a link to content is good unless told otherwise. */
export const CONTENT_LINK_SECONDS_DEFAULT = 3600;

/** The share in the address of content. */
export class ContentPlace extends GroupFileBody {}

/** Query of the content of a file. A link has the last two, and is for what it names alone. */
export class ContentQuery {
  /** Which file of a folder: its path in it, like inner/film.mkv. */
  @IsOptional()
  @IsPathInShare()
  path?: string;

  /** The newest by default. */
  @IsOptional()
  @Type(() => Number)
  @IsVersion()
  version?: number;

  /** What has to be fetched stays, as if it had been downloaded; without it it goes a while after the last reader. */
  @IsOptional()
  @IsIn(['true', 'false'])
  keep?: 'true' | 'false';

  /** Milliseconds since 1970. */
  @IsOptional()
  @Matches(/^\d{1,15}$/)
  expires?: string;

  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{43}$/)
  signature?: string;
}

/** POST /groups/{group}/files/{file}/content-link. */
export class ContentLinkBody {
  /** Which file of a folder: its path in it, like inner/film.mkv. */
  @IsOptional()
  @IsPathInShare()
  path?: string;

  /** The one that is the newest whenever the link is used, by default. */
  @IsOptional()
  @IsVersion()
  version?: number;

  /** What has to be fetched stays, as if it had been downloaded. */
  @IsOptional()
  @IsBoolean()
  keep?: boolean;

  /** For how long the link is good; 3600 by default. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(CONTENT_LINK_SECONDS_MAX)
  lifetimeSeconds?: number;
}

/** POST /groups/{group}/files/{file}/content-link. */
export class ContentLinkView {
  /** The address of the content, whole: to be given to a player as it is. */
  @IsString()
  url!: string;

  @IsRFC3339()
  expiresAt!: string;
}
