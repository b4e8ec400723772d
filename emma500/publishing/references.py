"""Where in a repository: branches, pull requests of ours, and the tags of releases."""

from typing import Any

from emma500.errors import OutputError
from emma500.patience import Patience

Place = dict[str, Any]
"""The arguments that name a repository in a call of huggingface_hub: `repo_id` and `repo_type`."""


def find_pull_request(api: Any, call: Patience, place: Place, title: str) -> str | None:
    """Return the pull request that an earlier, unfinished or unmerged call opened; None if there is none.

    Args:
        api: The client.
        call: How patient to be.
        place: The repository.
        title: Its title.

    Returns:
        Its reference, as "refs/pr/3".
    """
    name = call("tell who you are", api.whoami)["name"]
    found = call(
        "list the pull requests",
        lambda: list(
            api.get_repo_discussions(author=name, discussion_type="pull_request", **place)
        ),
    )
    ours = [each.num for each in found if each.title == title and each.status in {"draft", "open"}]
    return f"refs/pr/{max(ours)}" if ours else None


def open_pull_request(api: Any, call: Patience, place: Place, title: str) -> str:
    """Return a draft pull request of this title: one that is there, or a new one.

    An attempt whose answer was lost has opened one, which the next attempt finds.
    """

    def opened() -> str:
        found = find_pull_request(api, call, place, title)
        return found or f"refs/pr/{api.create_pull_request(title=title, **place).num}"

    return call("open a pull request", opened)


def show_pull_request(api: Any, call: Patience, place: Place, reference: str) -> None:
    """Take a pull request out of its draft state, now that all of it is there."""
    number = int(reference.rpartition("/")[2])

    def shown() -> None:
        if api.get_discussion_details(discussion_num=number, **place).status == "draft":
            api.change_discussion_status(discussion_num=number, new_status="open", **place)

    call("show the pull request", shown)


def tagged_commit(api: Any, call: Patience, place: Place, tag: str) -> str | None:
    """Return the commit that a tag names, or None if there is no such tag."""
    refs = call("list the tags", lambda: api.list_repo_refs(**place))
    return next((str(each.target_commit) for each in refs.tags if each.name == tag), None)


def set_tag(api: Any, call: Patience, place: Place, *, tag: str, commit: str) -> None:
    """Name a commit by a tag, unless it has that name already.

    Raises:
        OutputError: If the tag names another commit.
    """
    call("set the tag", lambda: api.create_tag(tag=tag, revision=commit, exist_ok=True, **place))
    refuse_other_tag(tagged_commit(api, call, place, tag), commit, tag, place)


def refuse_other_tag(found: str | None, commit: str | None, tag: str, place: Place) -> None:
    """Refuse to move a tag: who cites a release means what it held.

    Args:
        found: The commit that the tag names, or None.
        commit: The commit that it would name; None for one that is still to be made.
        tag: Its name.
        place: The repository.

    Raises:
        OutputError: If these are two.
    """
    if found is not None and found != commit:
        raise OutputError(
            f"the tag {tag!r} of {place['repo_id']} names the commit {found[:8]}, which holds something else: "
            "a release stays what it was; choose another tag"
        )
