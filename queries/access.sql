-- name: Users :many
-- Users returns who signs in with a password of the database, by name, with the last
-- time that one of their sessions was used.
select u.*, s.seen_at
from web_user u
left join session s on s.id_sha256 = (select l.id_sha256 from session l where l.user_id = u.id order by l.seen_at desc limit 1)
order by u.name;

-- name: UserNamed :one
-- UserNamed returns a user of the database.
select * from web_user where name = $1;

-- name: LockUsers :exec
-- LockUsers lets one transaction at a time change who is let in.
lock table web_user in share row exclusive mode;

-- name: CountUsers :one
-- CountUsers returns how many users of the database are let in.
select count(*) from web_user where disabled_at is null;

-- name: AddUser :one
-- AddUser adds a user.
insert into web_user (name, password_hash, role, created_at, password_at) values (sqlc.arg(name), sqlc.arg(password_hash), sqlc.arg(role), sqlc.arg(at), sqlc.arg(at))
returning *;

-- name: SetUser :one
-- SetUser gives a user another password or role, or lets them in no more or again; what
-- is null stays.
update web_user set
    password_hash = coalesce(sqlc.narg(password_hash), password_hash),
    password_at = case when sqlc.narg(password_hash)::text is null then password_at else sqlc.arg(at) end,
    role = coalesce(sqlc.narg(role), role),
    disabled_at = case when sqlc.narg(disabled)::boolean is null then disabled_at
                       when sqlc.narg(disabled)::boolean then coalesce(disabled_at, sqlc.arg(at)) end
where id = sqlc.arg(id)
returning *;

-- name: EndSessionsOfUser :execrows
-- EndSessionsOfUser signs a user of the database out everywhere.
delete from session where user_id = sqlc.arg(user_id)::bigint;

-- name: EndSessionsOfOrigin :execrows
-- EndSessionsOfOrigin signs out all who were let in that way.
delete from session where origin = $1;

-- name: AddSession :exec
-- AddSession begins a session.
insert into session (id_sha256, user_id, name, role, origin, stamp, address, agent, created_at, seen_at, expires_at)
values (sqlc.arg(id_sha256), sqlc.narg(user_id), sqlc.arg(name), sqlc.arg(role), sqlc.arg(origin), sqlc.arg(stamp), sqlc.arg(address), sqlc.arg(agent),
        sqlc.arg(created_at), sqlc.arg(created_at), sqlc.arg(expires_at));

-- name: PruneSessions :exec
-- PruneSessions forgets the sessions that are over.
delete from session where expires_at <= sqlc.arg(at) or seen_at <= sqlc.arg(idle_since);

-- name: SessionOf :one
-- SessionOf returns a session, with its user of the database as that is now.
select sqlc.embed(s), u.password_hash, u.role as user_role, u.created_at as user_created_at, u.password_at, u.disabled_at
from session s left join web_user u on u.id = s.user_id
where s.id_sha256 = $1;

-- name: SeeSession :exec
-- SeeSession notes that a session is used.
update session set seen_at = sqlc.arg(at) where id_sha256 = sqlc.arg(id_sha256) and seen_at < sqlc.arg(at);

-- name: EndSession :execrows
-- EndSession signs a browser out.
delete from session where id_sha256 = $1;

-- name: AddToken :one
-- AddToken adds a token of the API.
insert into api_token (name, token_sha256, role, made_by, origin, user_id, created_at, expires_at)
values (sqlc.arg(name), sqlc.arg(token_sha256), sqlc.arg(role), sqlc.arg(made_by), sqlc.arg(origin), sqlc.narg(user_id), sqlc.arg(created_at), sqlc.narg(expires_at))
returning id;

-- name: Tokens :many
-- Tokens returns all tokens, the newest first.
select * from api_token order by id desc;

-- name: TokenOf :one
-- TokenOf returns a token, with the user of the database who made it as that is now.
select sqlc.embed(t), u.password_hash, u.role as user_role, u.created_at as user_created_at, u.password_at, u.disabled_at
from api_token t left join web_user u on u.id = t.user_id
where t.token_sha256 = $1;

-- name: UseToken :exec
-- UseToken notes that a token is used.
update api_token set used_at = sqlc.arg(at) where id = sqlc.arg(id) and (used_at is null or used_at < sqlc.arg(at));

-- name: RevokeToken :one
-- RevokeToken ends a token for good.
update api_token set revoked_at = sqlc.arg(at), revoked_by = sqlc.arg(revoked_by) where id = sqlc.arg(id) and revoked_at is null
returning *;
