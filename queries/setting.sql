-- name: Settings :many
-- Settings returns what is set on the web page.
select key, value, set_by, set_at, name, version from setting order by key, name;

-- name: LockSetting :one
-- LockSetting returns a setting, which nobody else changes until the transaction ends.
select key, value, set_by, set_at, name, version from setting where key = $1 and name = $2 for update;

-- name: AddSetting :one
-- AddSetting sets what is not set; without a row somebody else was quicker.
insert into setting (key, name, value, set_by) values ($1, $2, $3, $4)
on conflict (key, name) do nothing
returning version;

-- name: ChangeSetting :one
-- ChangeSetting sets what is set already.
update setting set value = $3, set_by = $4, set_at = now(), version = nextval('setting_version')
where key = $1 and name = $2
returning version;

-- name: RemoveSetting :exec
-- RemoveSetting takes away what is set.
delete from setting where key = $1 and name = $2;
