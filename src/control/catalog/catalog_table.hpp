#pragma once

#include "api/catalog_messages.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace orch::control::catalog {

// What was told of models, by id. One owner; no clock, no file: text() is what survives a restart.
class CatalogTable {
public:
    // Creates or replaces an entry; its life and times are the table's own.
    // Returns whether it is new.
    bool put(api::CatalogModel model, WallTime now);

    // Errors: not_found.
    Result<void> remove(const std::string& id);

    // Retired at once, or when its deadline has passed; Active takes it back. An entry is made for
    // a model that only nodes knew.
    void set_state(const std::string& id, const api::ModelStateRequest& request, WallTime now);

    void note_verified(const std::string& id, WallTime now);

    const api::CatalogModel* find(const std::string& id) const;

    const std::map<std::string, api::CatalogModel>& entries() const { return entries_; }

    // The entry as it is at this time: a deadline may have passed.
    static bool retired(const api::CatalogModel& model, WallTime now);

    std::set<std::string> retired_ids(WallTime now) const;

    // When the next entry retires by its deadline, after `now`.
    std::optional<WallTime> next_retirement(WallTime now) const;

    // The whole table as JSON, and back. Errors: invalid_params naming the place.
    std::string text() const;
    static Result<CatalogTable> parse(std::string_view text);

private:
    std::map<std::string, api::CatalogModel> entries_;
};

}  // namespace orch::control::catalog
