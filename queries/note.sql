-- name: AddNote :one
-- AddNote adds a note to a host.
insert into host_note (host_id, by, note) values (sqlc.arg(host_id), sqlc.arg(by), sqlc.arg(note))
returning id, at;

-- name: NotesOfHost :many
-- NotesOfHost returns the newest notes of a host, newest first.
select n.id, n.host_id, h.address, n.at, n.by, n.note from host_note n join host h on h.id = n.host_id
where h.address = sqlc.arg(address)::inet order by n.id desc limit sqlc.arg(most);

-- name: HostOfAddress :one
-- HostOfAddress returns the number of the host of an address.
select id from host where address = sqlc.arg(address)::inet;

-- name: VantagesOfAddress :many
-- VantagesOfAddress returns the vantages that know the host of an address, by name.
select v.name from host h join host_current c on c.host_id = h.id join vantage v on v.id = c.vantage_id
where h.address = sqlc.arg(address)::inet order by v.name collate "C";

-- name: SeatsOfAddresses :many
-- SeatsOfAddresses returns the hosts of addresses, from each vantage that knows them.
select c.host_id, c.vantage_id from host h join host_current c on c.host_id = h.id
where h.address = any (sqlc.arg(addresses)::inet[]);
